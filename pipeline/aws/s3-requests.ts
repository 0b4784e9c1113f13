// How requests to S3 are sent: within a bound on those under way, with patience when S3 asks to slow down.
// Promises: the SDK's own retries come first; a request that was throttled to their end is sent again after a wait, for
// minutes; every 503 is heard, also those that the SDK's retries hide.
// Source: Amazon S3 User Guide, "Optimizing performance" (503 SlowDown), "Conditional requests" (409, 412).

import type { S3Client } from '@aws-sdk/client-s3';
import {
  bodyIdleMsMax,
  requestsAtOnceMax,
  throttledRoundsMax,
  throttledWaitMsMax,
} from '../../schemas/limits.js';
import { faultOf, isThrottling, isTransient } from './aws-errors.js';
import { RequestSlots } from './request-slots.js';

export interface S3SenderOptions {
  readonly client: () => Promise<S3Client>;
  /** Account that must own every bucket; else S3 answers 403. */
  readonly expectedBucketOwner?: string;
  /** Silence in a body, in ms, after which the rest is asked for again. */
  readonly bodyIdleMs?: number;
  /** Waits between rounds of tries. Default: for real. */
  readonly wait?: (ms: number) => Promise<void>;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** What sends one command. */
type S3Sends = Pick<S3Client, 'send'>;

type Sending = (args: object) => Promise<object>;

/** Of a command, where what is done around its request is put. */
interface Command {
  readonly middlewareStack: {
    add(around: (next: Sending) => Sending, place: object): void;
  };
}

/** One call of the SDK, repeatable. */
export type S3Call<T> = (client: S3Sends, sdk: Sdk) => Promise<T>;

/** What the parts of the store share: how a request is sent. */
export interface S3Requests {
  readonly owner: { readonly ExpectedBucketOwner?: string };
  readonly bodyIdleMs: number;
  readonly wait: (ms: number) => Promise<void>;
  /** Sends with retries and within the bound on requests. Throws what the SDK throws. */
  send<T>(call: S3Call<T>): Promise<T>;
}

/** Sends requests: the bound on those under way, and patience when S3 asks to slow down. */
export class S3Sender implements S3Requests {
  readonly owner: { readonly ExpectedBucketOwner?: string };
  readonly bodyIdleMs: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly #open: () => Promise<{ readonly client: S3Sends; readonly sdk: Sdk }>;
  readonly #slots = new RequestSlots(requestsAtOnceMax);

  constructor(options: S3SenderOptions) {
    this.owner =
      options.expectedBucketOwner === undefined
        ? {}
        : { ExpectedBucketOwner: options.expectedBucketOwner };
    this.bodyIdleMs = options.bodyIdleMs ?? bodyIdleMsMax;
    this.wait = options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    let opened: Promise<{ readonly client: S3Sends; readonly sdk: Sdk }> | null = null;
    this.#open = () => {
      opened ??= this.#opened(options);
      return opened;
    };
  }

  async send<T>(call: S3Call<T>): Promise<T> {
    const { client, sdk } = await this.#open();
    let triesBefore = 0;
    for (let round = 0; ; round++) {
      try {
        return await this.#slots.run(() => call(client, sdk));
      } catch (error) {
        const fault = faultOf(error);
        // Somebody is writing the same object this moment: S3 asks to try again, and then knows.
        const isRace = fault?.code === 'ConditionalRequestConflict' || fault?.status === 409;
        if (fault === null || round >= throttledRoundsMax || !(isRace || isThrottling(fault))) {
          throw withTries(error, triesBefore);
        }
        triesBefore += fault.tries;
        await this.wait(isRace ? waitMs(round, 100) : waitMs(round, 1000));
      }
    }
  }

  async #opened(options: S3SenderOptions): Promise<{ client: S3Sends; sdk: Sdk }> {
    const [client, sdk] = await Promise.all([options.client(), import('@aws-sdk/client-s3')]);
    // Inside the SDK's retries, so that every 503 is heard and not only the last. At the command and not at the client, which
    // may be shared: its stack would grow with every store, and each would hear the others.
    const hear = (next: Sending) => async (args: object) => {
      try {
        const answer = await next(args);
        this.#slots.answered();
        return answer;
      } catch (error) {
        const fault = faultOf(error);
        if (fault !== null && isThrottling(fault)) this.#slots.slowDown();
        throw error;
      }
    };
    const send = (command: Command, ...more: readonly unknown[]): unknown => {
      const place = { step: 'finalizeRequest', priority: 'low', name: 'tidelakeSlots' } as const;
      command.middlewareStack.add(hear, place);
      return (client.send as (...all: readonly unknown[]) => unknown).call(
        client,
        command,
        ...more,
      );
    };
    return { client: { send: send as S3Client['send'] }, sdk };
  }
}

/** An error of the SDK that counts the tries of earlier rounds too: one of those may have had no answer, and been applied. */
function withTries(error: unknown, triesBefore: number): unknown {
  const { $metadata } = error as { readonly $metadata?: { attempts?: number } };
  if ($metadata !== undefined) $metadata.attempts = ($metadata.attempts ?? 1) + triesBefore;
  return error;
}

/** A random time up to a bound that doubles with each round, in ms ("full jitter"). */
export function waitMs(round: number, firstMs: number): number {
  return Math.random() * Math.min(throttledWaitMsMax, firstMs * 2 ** round);
}

/** Whether an answer says that there is no such object. A bucket that is missing is another matter. */
export function isMissing(error: unknown): boolean {
  const fault = faultOf(error);
  if (fault === null || fault.code === 'NoSuchBucket') return false;
  return fault.status === 404 || fault.code === 'NoSuchKey' || fault.code === 'NotFound';
}

/** Whether nobody can tell if a write was done: no answer, or one that speaks only of the last of several tries. */
export function isDoubtful(error: unknown): boolean {
  const fault = faultOf(error);
  return fault !== null && !isThrottling(fault) && (isTransient(fault) || fault.tries > 1);
}
