// Output to readers that are slow or gone.
// Promises that neither is an error, and that nothing waits for ever.
// Spec: pipeline/cli/output.ts.

import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { StreamOutput, type WritableLike } from '../../pipeline/cli/output.js';

it('waits for a slow reader', async () => {
  const waiting: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 4,
    write: (_chunk, _encoding, next) => waiting.push(next),
  });
  const output = new StreamOutput(slow as unknown as WritableLike);
  output.write('more than four');
  let isReady = false;
  const ready = output.ready().then(() => {
    isReady = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isReady).toBe(false);
  waiting[0]!();
  await ready;
});

it('is closed, and drops what is written, when the reader is gone', async () => {
  const gone = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, next) => next(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  });
  const output = new StreamOutput(gone as unknown as WritableLike);
  output.write('text');
  await output.ready();
  await new Promise((resolve) => setImmediate(resolve));
  expect(output.isClosed).toBe(true);
  output.write('dropped');
  await output.ready();
});
