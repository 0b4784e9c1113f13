// Damaged files: each byte of a footer, and bytes of pages, flipped. Read or refused, never a crash or a hang.
// A refusal names the file and none of its content.
// Source: apache/parquet-format, README.md ("Error recovery").

import { beforeAll, describe, expect, it } from 'vitest';
import { ParquetAssembler } from '../../pipeline/lake/parquet/assembler.js';
import { decodeRowGroups } from '../../pipeline/lake/parquet/decode-row-group.js';
import { icebergStats } from '../../pipeline/lake/parquet/file-stats.js';
import { type ParquetFooter, readFooter } from '../../pipeline/lake/parquet/footer.js';
import { TidelakeError } from '../../schemas/errors.js';
import { sampleFields, sampleRows, toIpc } from './arrow-rows.js';
import { encodeRowGroup } from './arrow-rs.js';
import { fromIpc } from './read-back.js';

let file: Buffer;
let footerStart: number;

beforeAll(() => {
  const assembler = new ParquetAssembler();
  const parts = [0, 20].map((from) =>
    assembler.add(encodeRowGroup(toIpc(sampleFields, sampleRows(from, 20)))),
  );
  file = Buffer.concat([assembler.start(), ...parts, assembler.finish().tail]);
  footerStart = file.length - 8 - file.readUInt32LE(file.length - 8);
});

const read = (bytes: Uint8Array, size = bytes.length): Promise<ParquetFooter> =>
  readFooter(async (start, end) => bytes.subarray(start, end), size, 'data/file-1.parquet');

/** 'read', or the code of the error; anything but a TidelakeError fails the test. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'read';
  } catch (error) {
    if (!(error instanceof TidelakeError)) throw error;
    return error.code;
  }
}

const outcomes = ['read', 'CHECK_FAILED'];

describe('a damaged footer', () => {
  it.each([0x01, 0x80, 0xff])(
    'is read and decoded or refused, whichever byte has the bits %i flipped',
    async (bits) => {
      for (let at = footerStart; at < file.length; at++) {
        const damaged = Buffer.from(file);
        damaged[at]! ^= bits;
        const work = async (): Promise<void> => {
          const footer = await read(damaged);
          icebergStats(footer, new Map([[2, 'string']]));
          const readRange = async (start: number, end: number): Promise<Uint8Array> =>
            damaged.subarray(start, end);
          await decodeRowGroups({ readRange, footer, indexes: [1] });
        };
        expect(outcomes).toContain(await outcome(work));
      }
    },
  );

  it('is refused wherever the file is cut off', async () => {
    for (let length = 0; length < file.length; length++) {
      expect(await outcome(() => read(file.subarray(0, length)))).toBe('CHECK_FAILED');
    }
  });

  it('is refused when the file is shorter than its size says', async () => {
    expect(await outcome(() => read(file.subarray(0, -1), file.length))).toBe('CHECK_FAILED');
  });

  it('names the file, and nothing of its content', async () => {
    await expect(read(file.subarray(0, -1))).rejects.toThrow(
      'CHECK_FAILED  data/file-1.parquet cannot be read as Parquet: it does not end in PAR1',
    );
  });

  it('is refused at once when it claims a list of billions', async () => {
    // version 1, then a schema list of 2^31 structs.
    const footer = Buffer.from([0x15, 0x02, 0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x08, 0x00]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    const bomb = Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')]);
    expect(await outcome(() => read(bomb))).toBe('CHECK_FAILED');
  });
});

describe('damaged pages', () => {
  it('are decoded or refused, and the next file is decoded as ever', async () => {
    const footer = await read(file);
    for (let at = 4; at < footerStart; at += 7) {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 0xff;
      const readRange = async (start: number, end: number): Promise<Uint8Array> =>
        damaged.subarray(start, end);
      expect(outcomes).toContain(
        await outcome(() => decodeRowGroups({ readRange, footer, indexes: [0, 1] })),
      );
    }
    const readRange = async (start: number, end: number): Promise<Uint8Array> =>
      file.subarray(start, end);
    const whole = await decodeRowGroups({ readRange, footer, indexes: [0, 1] });
    expect(fromIpc(whole)).toEqual(sampleRows(0, 40));
  });
});
