// The floor: decompress every data file and look at nothing.
// Promises as many files at once as threads; zlib works outside the JavaScript thread.
// Use: node gunzip.mjs FILES.json THREADS
import { createReadStream, readFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';

const began = performance.now();
const files = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const threads = Number(process.argv[3]);
let next = 0;
let bytes = 0;

async function work() {
  while (next < files.length) {
    const file = files[next];
    next += 1;
    const source = createReadStream(file.path, { highWaterMark: 256 * 1024 });
    const text = source.pipe(createGunzip({ chunkSize: 1024 * 1024 }));
    source.once('error', (error) => text.destroy(error));
    for await (const piece of text) bytes += piece.length;
  }
}

await Promise.all(Array.from({ length: threads }, work));
console.log(
  JSON.stringify({
    items: files.reduce((sum, { itemCount }) => sum + itemCount, 0),
    bytes,
    seconds: (performance.now() - began) / 1000,
  }),
);
