// Units for the tests of the pool. They run in a worker thread, against the built package.
import { threadId } from 'node:worker_threads';
import { TidelakeError } from '../../dist/schemas/errors.js';

export const units = {
  double: async ({ n }) => ({ output: n * 2 }),
  thread: async ({ waitMs }) => {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return { output: threadId };
  },
  reverse: async ({ buffer }) => {
    const bytes = new Uint8Array(buffer).reverse();
    return { output: bytes, transfer: [bytes.buffer] };
  },
  refuse: async () => {
    throw new TidelakeError({ code: 'REFUSED_COUNT', what: 'w', meaning: 'm', next: 'n' });
  },
  missing: async ({ uri }, { store }) => ({ output: await store.read(uri) }),
  leak: async ({ secret }) => {
    throw new SyntaxError(`Unexpected token in ${secret}\n    at ${secret}`);
  },
  spill: async ({ text }, { scratch }) => ({
    output: await scratch.write([new TextEncoder().encode(text)]),
  }),
  exit: async () => process.exit(3),
  crash: async () => {
    setImmediate(() => {
      throw new Error('secret');
    });
    await new Promise(() => {});
  },
  memory: async () => {
    const kept = [];
    for (;;) kept.push(new Array(1000).fill(kept.length));
  },
  forever: () => new Promise(() => {}),
};
