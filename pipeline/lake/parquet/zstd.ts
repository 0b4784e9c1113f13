// Zstandard for pages, from the reference implementation compiled to WebAssembly. Loaded when first asked for.
// Spec: RFC 8878; apache/parquet-format, Compression.md ("ZSTD").

/** Compresses one page. */
export type Compress = (page: Uint8Array) => Uint8Array;
/** The bytes of a compressed page, which must be whole: check its checksum first. Throws for what is no such page. */
export type Decompress = (page: Uint8Array) => Uint8Array;

/** The fastest ordinary level: on rows of orders the files of level 3 are 2 % smaller, and take a third longer. */
const level = 1;

let loading: Promise<{ compress: Compress; decompress: Decompress }> | null = null;

async function load(): Promise<{ compress: Compress; decompress: Decompress }> {
  const { compress, decompress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return { compress: (page) => compress(page, level), decompress: (page) => decompress(page) };
}

/** The compressor, one for each thread. */
export async function openZstd(): Promise<Compress> {
  loading ??= load();
  return (await loading).compress;
}

export async function openUnzstd(): Promise<Decompress> {
  loading ??= load();
  return (await loading).decompress;
}
