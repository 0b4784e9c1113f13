import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  countMismatch,
  streamDataFile,
  verifyMd5,
} from '../../pipeline/export/stream-data-file.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import { TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { bytesOf, md5Of } from './export-folder.js';

const uri = 'm://b/AWSDynamoDB/data/sgad6417s6vss4p7owp0471bcq.json.gz';
const secret = 'Jane Doe, 42 Elm Street';
const record = (i: number): string => `{"Item":{"id":{"N":"${i}"},"s":{"S":"${secret}"}}}\n`;
const records = (count: number): string =>
  Array.from({ length: count }, (_, i) => record(i)).join('');

/** A store that hands out pieces of a given size. */
class Pieces extends MemoryStore {
  readonly bytes: number;
  constructor(bytes: number) {
    super();
    this.bytes = bytes;
  }
  override async *stream(at: string): AsyncGenerator<Uint8Array> {
    const whole = await this.read(at);
    for (let i = 0; i < whole.length; i += this.bytes) yield whole.slice(i, i + this.bytes);
  }
}

interface Outcome {
  readonly text: string;
  readonly blocks: readonly Uint8Array[];
  readonly code: string | null;
  readonly message: string;
}

/** Streams stored bytes whose right MD5 is that of `original` (default: the stored ones). */
async function run(
  stored: Uint8Array,
  original: Uint8Array = stored,
  store: ObjectStore = new MemoryStore(),
): Promise<Outcome> {
  await store.put(uri, stored);
  const file: ExportDataFile = { uri, itemCount: 1, md5: md5Of(original) };
  const blocks: Uint8Array[] = [];
  try {
    for await (const block of streamDataFile(store, file)) blocks.push(block);
  } catch (error) {
    if (!(error instanceof TidelakeError)) throw error;
    const message = `${error.message} ${error.meaning} ${error.next}`;
    expect(message).not.toContain('Jane');
    expect(message).not.toContain('m://b');
    return { text: Buffer.concat(blocks).toString(), blocks, code: error.code, message };
  }
  return { text: Buffer.concat(blocks).toString(), blocks, code: null, message: '' };
}

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeAll(() => process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe('an intact data file', () => {
  it('comes out whole, in blocks that end at line ends', async () => {
    const text = records(60_000);
    const { blocks, text: got, code } = await run(gzipSync(text));
    expect(code).toBeNull();
    expect(got === text).toBe(true);
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) {
      expect(block.at(-1)).toBe(10);
      expect(block.length).toBeLessThan(2.5 * 1024 * 1024);
    }
  });

  it('comes out the same whatever the size of the stored pieces', async () => {
    const text = `${records(20)}{"é":"日本😀\u2028\u2029\\r"}\r\n\n${records(3)}`;
    const stored = gzipSync(text);
    for (let bytes = 1; bytes < 70; bytes++) {
      const outcome = await run(stored, stored, new Pieces(bytes));
      expect([outcome.code, outcome.text === text]).toEqual([null, true]);
    }
  });

  it('may hold nothing: as gzip of nothing, or as no bytes at all', async () => {
    expect(await run(gzipSync(''))).toMatchObject({ code: null, blocks: [] });
    expect(await run(new Uint8Array(0))).toMatchObject({ code: null, blocks: [] });
    expect(await run(new Uint8Array(0), gzipSync(''))).toMatchObject({ code: 'REFUSED_CHECKSUM' });
  });

  it('may lack the last line end', async () => {
    const text = `${record(1)}{"Item":{}}`;
    expect(await run(gzipSync(text))).toMatchObject({ code: null, text });
    expect(await run(gzipSync('{'))).toMatchObject({ code: null, text: '{' });
  });

  it('may be of several gzip members that touch, split anywhere', async () => {
    const parts = [records(3), '', records(2), '{"Item":{}}\n'];
    const stored = Buffer.concat(parts.map((part) => gzipSync(part)));
    expect(gunzipSync(stored).toString()).toBe(parts.join(''));
    for (let bytes = 1; bytes < stored.length; bytes += 3) {
      const outcome = await run(stored, stored, new Pieces(bytes));
      expect(outcome).toMatchObject({ code: null, text: parts.join('') });
    }
  });

  it('may have a line as long as two escaped 400 KB images', async () => {
    const text = `{"Item":{"s":{"S":"${'\\u0000'.repeat(1_000_000)}"}}}\n${record(1)}`;
    const outcome = await run(gzipSync(text));
    expect([outcome.code, outcome.text === text]).toEqual([null, true]);
  });

  it('tells its stored bytes as it goes', async () => {
    const store = new Pieces(1000);
    const stored = gzipSync(Buffer.from(records(5000)), { level: 0 });
    await store.put(uri, stored);
    const file = { uri, itemCount: 5000, md5: md5Of(stored) };
    const told: number[] = [];
    const stream = streamDataFile(store, file, { onProgress: (bytes) => told.push(bytes) });
    for await (const block of stream) expect(block.length).toBeGreaterThan(0);
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(stored.length);
    expect(told.length).toBe(Math.ceil(stored.length / 1000));
  });
});

describe('a damaged data file', () => {
  const original = gzipSync(record(1) + record(2));

  it('is REFUSED_CHECKSUM cut at any byte', async () => {
    for (let length = 0; length < original.length; length++) {
      expect((await run(original.subarray(0, length), original)).code).toBe('REFUSED_CHECKSUM');
    }
  });

  it('is REFUSED_CHECKSUM cut at any byte but to nothing, even with the MD5 of what is left', async () => {
    for (let length = 1; length < original.length; length++) {
      expect((await run(original.subarray(0, length))).code).toBe('REFUSED_CHECKSUM');
    }
  });

  it('is REFUSED_CHECKSUM with any bit flipped', async () => {
    for (let bit = 0; bit < original.length * 8; bit++) {
      const flipped = Uint8Array.from(original);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect((await run(flipped, original)).code).toBe('REFUSED_CHECKSUM');
    }
  });

  it('is refused or intact with any bit flipped and the MD5 of the result', async () => {
    // gzip leaves some header bits unchecked (time, OS, flags): then the data must be whole.
    for (let bit = 0; bit < original.length * 8; bit++) {
      const flipped = Uint8Array.from(original);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { code, text } = await run(flipped);
      if (code === null) expect(text).toBe(record(1) + record(2));
      else expect(code).toBe('REFUSED_CHECKSUM');
    }
  });

  const member = gzipSync(record(3));
  it.each([
    ['one zero byte', [original, Buffer.alloc(1)]],
    ['a block of zeros', [original, Buffer.alloc(512)]],
    ['zeros and a second member', [original, Buffer.alloc(4), member]],
    ['garbage', [original, Buffer.from('garbage')]],
    ['one odd byte', [original, Buffer.from([0x1f])]],
    ['half a member', [original, member.subarray(0, 20)]],
    ['a member with a wrong sum', [original, member.subarray(0, -8), Buffer.alloc(8)]],
    ['zeros in front', [Buffer.alloc(4), original]],
    ['plain text', [Buffer.from(record(1))]],
    ['only zeros', [Buffer.alloc(64)]],
  ])('is REFUSED_CHECKSUM with %s, right MD5, however it is cut into pieces', async (_, parts) => {
    const stored = Buffer.concat(parts);
    for (const bytes of [
      1,
      2,
      3,
      7,
      original.length - 1,
      original.length,
      original.length + 1,
      1 << 20,
    ]) {
      expect((await run(stored, stored, new Pieces(bytes))).code).toBe('REFUSED_CHECKSUM');
    }
  });

  it('is REFUSED_CHECKSUM with large padding, right MD5', async () => {
    const stored = Buffer.concat([gzipSync(records(1000)), Buffer.alloc(3_000_000)]);
    const { code, message } = await run(stored);
    expect(code).toBe('REFUSED_CHECKSUM');
    expect(message).toContain('3000000 bytes after the end');
  });

  it.each([
    ['a lone byte FF', Buffer.from([0xff])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['an overlong form', Buffer.from([0xc0, 0xaf])],
    ['half a letter', Buffer.from([0xc3])],
  ])('is REFUSED_RECORD with %s, which names the place and not the content', async (_, bad) => {
    const line = Buffer.concat([
      Buffer.from(`{"Item":{"s":{"S":"${secret}`),
      bad,
      Buffer.from('"}}}\n'),
    ]);
    const stored = gzipSync(
      Buffer.concat([Buffer.from(records(2)), line, Buffer.from(records(2))]),
    );
    const { code, message, text } = await run(stored);
    expect(code).toBe('REFUSED_RECORD');
    expect(text).toBe('');
    expect(message).toContain(`byte ${records(2).length} `);
    // The same file with another MD5 than it should have was damaged on the way: that comes first.
    expect((await run(stored, original)).code).toBe('REFUSED_CHECKSUM');
  });

  it('is REFUSED_INPUT_GONE when it vanished', async () => {
    const stream = streamDataFile(new MemoryStore(), { uri, itemCount: 1, md5: md5Of(original) });
    await expect(stream.next()).rejects.toMatchObject({ code: 'REFUSED_INPUT_GONE' });
  });

  it('passes on what the store says when it breaks in the middle', async () => {
    class Breaking extends MemoryStore {
      override async *stream(): AsyncGenerator<Uint8Array> {
        yield original.subarray(0, 30);
        throw new Error('connection reset');
      }
    }
    const stream = streamDataFile(new Breaking(), { uri, itemCount: 1, md5: md5Of(original) });
    await expect(stream.next()).rejects.toThrow('connection reset');
  });
});

describe('a bomb with the right MD5', () => {
  const zeros = (megabytes: number, fill: string): Buffer =>
    gzipSync(Buffer.alloc(megabytes * 1024 * 1024, fill));

  it.each([
    ['spaces', zeros(100, ' ')],
    ['one endless line', Buffer.concat([gzipSync(record(1)), zeros(20, 'x')])],
    ['line ends', zeros(100, '\n')],
    ['many members', Buffer.concat(Array.from({ length: 100 }, () => zeros(1, '\n')))],
  ])('of %s is REFUSED_LIMIT', async (_, stored) => {
    const { code, text } = await run(stored);
    expect(code).toBe('REFUSED_LIMIT');
    expect(text.length).toBeLessThanOrEqual(66 * 1024 * 1024);
  });

  it('with a wrong MD5 is REFUSED_CHECKSUM', async () => {
    expect((await run(zeros(20, ' '), bytesOf('x'))).code).toBe('REFUSED_CHECKSUM');
  });

  it('is not seen in a small file that compresses well', async () => {
    expect((await run(zeros(30, '\n'))).code).toBeNull();
  });
});

describe('a reader that stops', () => {
  class Counting extends Pieces {
    open = 0;
    read_ = 0;
    override async *stream(at: string): AsyncGenerator<Uint8Array> {
      this.open += 1;
      try {
        for await (const piece of super.stream(at)) {
          this.read_ += piece.length;
          yield piece;
        }
      } finally {
        this.open -= 1;
      }
    }
  }

  it('ends the reading of the store at once', async () => {
    const store = new Counting(10_000);
    const stored = gzipSync(Buffer.from(records(100_000)), { level: 0 });
    await store.put(uri, stored);
    const file = { uri, itemCount: 100_000, md5: md5Of(stored) };
    for await (const block of streamDataFile(store, file)) {
      expect(block.length).toBeGreaterThan(0);
      break;
    }
    expect(store.open).toBe(0);
    expect(store.read_).toBeLessThan(stored.length / 2);
    const failing = (async () => {
      for await (const block of streamDataFile(store, file))
        throw new Error(`at ${block.length > 0}`);
    })();
    await expect(failing).rejects.toThrow('at true');
    expect(store.open).toBe(0);
  });

  it('does not read ahead of a reader that is slow', async () => {
    const store = new Counting(10_000);
    const stored = gzipSync(Buffer.from(records(100_000)), { level: 0 });
    await store.put(uri, stored);
    const stream = streamDataFile(store, { uri, itemCount: 100_000, md5: md5Of(stored) });
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(store.read_).toBeLessThan(stored.length / 2);
    await stream.return(undefined);
    expect(store.open).toBe(0);
  });
});

describe('what the reader of the records needs', () => {
  it('tells other bytes from the right ones', async () => {
    const store = new MemoryStore();
    const stored = gzipSync(record(1));
    await store.put(uri, stored);
    await verifyMd5(store, { uri, itemCount: 1, md5: md5Of(stored) });
    const other = { uri, itemCount: 1, md5: md5Of(bytesOf('other')) };
    await expect(verifyMd5(store, other)).rejects.toMatchObject({ code: 'REFUSED_CHECKSUM' });
    await store.remove(uri);
    await expect(verifyMd5(store, other)).rejects.toMatchObject({ code: 'REFUSED_INPUT_GONE' });
  });

  it('says both counts', () => {
    const error = countMismatch({ uri, itemCount: 8, md5: '' }, 7);
    expect(error.code).toBe('REFUSED_COUNT');
    expect(error.what).toBe(
      'sgad6417s6vss4p7owp0471bcq.json.gz holds 7 records, the manifest says 8',
    );
  });
});
