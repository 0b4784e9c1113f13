// What happens right before and right after a request that commits, at the SDK's clients themselves.
// Promises: it is every attempt that is met, also those the SDK repeats by itself; what is armed happens once.
// Source: AWS SDK for JavaScript v3, "Middleware stack" (finalizeRequest, inside the retries).

import type { SimulatedGlue } from '../../aws/simulated-glue.js';

/** What to do around one attempt. */
export interface Around {
  readonly before?: () => Promise<unknown>;
  readonly after?: () => Promise<unknown>;
}

interface Stacked {
  readonly middlewareStack: {
    add(middleware: unknown, place: object): void;
  };
}

interface Called {
  readonly commandName?: string;
}

/** Attempts to commit, of files catalogs and of Glue. */
export class CommitAttemptsWatch {
  #armed: Around | null = null;
  /** Attempts so far. */
  count = 0;

  static async over(sim: SimulatedGlue): Promise<CommitAttemptsWatch> {
    const watch = new CommitAttemptsWatch();
    const isMetadata = (key: unknown): boolean =>
      typeof key === 'string' && /\/v\d+\.metadata\.json$/.test(key);
    watch.#attach(await sim.s3.clients.s3(), (name, input) => {
      return name === 'PutObjectCommand' && isMetadata(input.Key);
    });
    watch.#attach(await sim.s3.clients.glueOnce(), () => true);
    return watch;
  }

  /** Has `around` happen around the next attempt, whoever makes it. */
  arm(around: Around | null): void {
    this.#armed = around;
  }

  #attach(
    client: unknown,
    isCommit: (command: string, input: Readonly<Record<string, unknown>>) => boolean,
  ): void {
    type Next = (args: { readonly input: Record<string, unknown> }) => Promise<unknown>;
    const watched = (next: Next, context: Called): Next => {
      return async (args) => {
        if (!isCommit(context.commandName ?? '', args.input)) return next(args);
        this.count += 1;
        const around = this.#armed;
        this.#armed = null;
        await around?.before?.();
        try {
          return await next(args);
        } finally {
          await around?.after?.();
        }
      };
    };
    const place = { step: 'finalizeRequest', priority: 'low', name: 'tidelakeCommitAttempts' };
    (client as Stacked).middlewareStack.add(watched, place);
  }
}
