// Compiles the kernel (transforms/kernel/assembly, AssemblyScript) and writes it as a module of its bytes, so that it
// is loaded as all other code is: no file is read when it runs.
// Promises: a file that would not change is not written anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import asc from 'assemblyscript/asc';

const folder = path.resolve(import.meta.dirname, '..', 'transforms', 'kernel');
const target = path.join(folder, 'kernel-bytes.ts');

const { error, stderr, binary } = await compile();
if (error !== null || binary === null) {
  console.error(`${stderr}`);
  console.error(`build-kernel: ${error?.message ?? 'no code came out'}`);
  process.exit(1);
}

const base64 = Buffer.from(binary).toString('base64');
const text = [
  '// Written by scripts/build-kernel.mjs from transforms/kernel/assembly; not kept under version control.',
  '',
  '/** The compiled kernel, in base64. */',
  `export const kernelBytes: string = '${base64}';`,
  '',
].join('\n');
if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);

/** The compiled code, or what was wrong with it. */
async function compile() {
  let bytes = null;
  const result = await asc.main(
    [
      'assembly/index.ts',
      '--baseDir',
      folder,
      '--outFile',
      'kernel.wasm',
      '--optimizeLevel',
      '3',
      '--converge',
      '--noAssert',
      '--runtime',
      'stub',
      // Places are signed numbers to JavaScript.
      '--maximumMemory',
      '32767',
      '--enable',
      'simd,bulk-memory',
    ],
    {
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) bytes = contents;
      },
    },
  );
  return { error: result.error, stderr: result.stderr.toString(), binary: bytes };
}
