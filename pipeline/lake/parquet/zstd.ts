// Zstandard for pages, from the reference implementation compiled to WebAssembly. Loaded when first asked for.
// Spec: RFC 8878; apache/parquet-format, Compression.md ("ZSTD").

/** Compresses one page. */
export type Compress = (page: Uint8Array) => Uint8Array;

/** The fastest ordinary level: on rows of orders the files of level 3 are 2 % smaller, and take a third longer. */
const level = 1;

let loading: Promise<Compress> | null = null;

/** The compressor, one for each thread. */
export function openZstd(): Promise<Compress> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Compress> {
  const { compress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return (page) => compress(page, level);
}
