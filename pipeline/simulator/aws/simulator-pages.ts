// The simulator's pages about DynamoDB, the clock and the bill: `/_simulator/dynamodb`, `/_simulator/dynamodb/tables`,
// `/_simulator/clock`, `/_simulator/bill`.
// Promises: a page that is not understood changes nothing and says why.
// Source: docs/how-to/simulator.md.

import { z } from 'zod';
import type { BillCounter } from './bill.js';
import type { DynamoDbControl } from './dynamodb.js';
import { DynamoDbFault } from './dynamodb-call.js';
import type { TableStory } from './dynamodb-stories.js';
import type { VirtualClock } from './virtual-clock.js';

/** An answer of a page: an HTTP status and a JSON value. */
export interface PageAnswer {
  readonly status: number;
  readonly value: unknown;
}

const clockSchema = z.union([
  z.strictObject({ advanceMs: z.number().int() }),
  z.strictObject({ nowMs: z.number().int() }),
]);

/** Answers `what`, a method and the path behind `/_simulator/`; null when it is none of these pages. */
export async function answerPage(
  world: {
    readonly clock: VirtualClock;
    readonly dynamodb: DynamoDbControl;
    readonly bill: BillCounter;
  },
  what: string,
  input: () => Promise<unknown>,
): Promise<PageAnswer | null> {
  const { clock, dynamodb, bill } = world;
  try {
    switch (what) {
      case 'GET clock':
        return page({ nowMs: clock.nowMs() });
      case 'POST clock':
        await moveClock(clock, await input());
        await dynamodb.settle();
        return page({ nowMs: clock.nowMs() });
      case 'GET dynamodb':
        await dynamodb.settle();
        return page({
          consumed: dynamodb.consumed(),
          exports: dynamodb.exports(),
          settings: dynamodb.settings(),
        });
      case 'GET bill':
        await dynamodb.settle();
        return page(bill.read());
      case 'DELETE bill':
        await dynamodb.settle();
        bill.clear();
        return page({});
      case 'DELETE dynamodb':
        dynamodb.clearConsumed();
        return page({});
      case 'POST dynamodb':
        return page(await dynamodb.changeSettings(await input()));
      case 'POST dynamodb/tables':
        return page(await dynamodb.tellTable((await input()) as TableStory));
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof DynamoDbFault) {
      return { status: 400, value: { error: error.message } };
    }
    throw error;
  }
}

function page(value: unknown): PageAnswer {
  return { status: 200, value };
}

async function moveClock(clock: VirtualClock, input: unknown): Promise<void> {
  const parsed = clockSchema.safeParse(input);
  if (!parsed.success) throw new RangeError('give advanceMs or nowMs, a whole number');
  if ('advanceMs' in parsed.data) await clock.advanceMs(parsed.data.advanceMs);
  else await clock.moveTo(parsed.data.nowMs);
}
