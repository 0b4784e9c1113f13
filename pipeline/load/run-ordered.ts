// Runs tasks side by side, at most `width` at a time, and hands their results on in the tasks' order.

/** Calls `use` with each result, in order; stops at the first error, after the tasks under way have ended. */
export async function runOrdered<T, R>(
  tasks: Iterable<T>,
  width: number,
  run: (task: T) => Promise<R>,
  use: (result: R, task: T) => Promise<void>,
): Promise<void> {
  const waiting: { task: T; result: Promise<R> }[] = [];
  try {
    for (const task of tasks) {
      const result = run(task);
      result.catch(() => {}); // awaited below, in order
      waiting.push({ task, result });
      // One more than the width waits, so that no thread idles while results are written.
      while (waiting.length > width) await next(waiting, use);
    }
    while (waiting.length > 0) await next(waiting, use);
  } finally {
    await Promise.allSettled(waiting.map((one) => one.result));
  }
}

async function next<T, R>(
  waiting: { task: T; result: Promise<R> }[],
  use: (result: R, task: T) => Promise<void>,
): Promise<void> {
  const { task, result } = waiting.shift()!;
  await use(await result, task);
}
