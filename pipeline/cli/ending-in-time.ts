// Work that ends when its limit says so: what was not finished by then is left, and can commit nothing any more.
// Promises: told to stop, the command says how to go on; it comes back when the work is done or the limit is over.
// Spec: pipeline/schedule/run-limit.ts.

import type { RunLimit } from '../schedule/run-limit.js';
import type { CliContext } from './context.js';
import type { Session } from './session.js';

/** Does `work`, which asks `isOver` before it prints anything. */
export async function endingInTime(
  context: CliContext,
  session: Session,
  { limit, graceSeconds }: { readonly limit: RunLimit; readonly graceSeconds: number },
  work: (isOver: () => boolean) => Promise<void>,
): Promise<void> {
  const forget = context.onStop((signal) => {
    limit.stop(graceSeconds * 1000);
    session.tell(
      `\n${signal}: ending within ${graceSeconds} seconds\n  next: run the same command again; it goes on where the lake stands\n`,
    );
  });
  let isOver = false;
  const working = work(() => isOver);
  try {
    await Promise.race([
      working,
      limit.over().then(() => {
        isOver = true;
      }),
    ]);
  } finally {
    // What goes on after the end can commit nothing; that its threads are taken away is no news.
    working.catch(() => {});
    forget();
  }
}
