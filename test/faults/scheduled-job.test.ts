// Processes of `tidelake run` killed and told to stop at random instants, and two at once, for as many rounds as are asked for.
// Promises: after each round the lake is the simulated table at its watermark, nothing was paid twice, nothing of the table read.
// Source: test/scenarios/scheduled-processes.ts.

import { expect, it } from 'vitest';
import { ScheduledProcesses } from '../scenarios/scheduled-processes.js';
import { rounds } from './harness/rounds.js';

const each = rounds(25);
/** From the start of a process to the end of a merge of a few hours, and a little more. */
const runMsMax = 4000;

async function withProcesses(
  seed: string,
  work: (processes: ScheduledProcesses, round: number) => Promise<void>,
): Promise<void> {
  const processes = await ScheduledProcesses.open(seed);
  try {
    for (let round = 0; round < each; round++) {
      await processes.hours(1 + (round % 3));
      await work(processes, round);
      if (round % 5 === 4) await processes.settle();
    }
    await processes.settle();
  } finally {
    await processes.close();
  }
}

it(`${each} processes killed at random instants do no harm`, async () => {
  let killed = 0;
  await withProcesses('killed', async (processes, round) => {
    const afterMs = processes.somewhere(runMsMax);
    const { signal } = await processes.interrupted('SIGKILL', afterMs);
    if (signal !== null) killed += 1;
    if (round % 2 === 0) processes.pass(11);
  });
  console.log('killed', killed, 'of', each);
  expect(killed).toBeGreaterThan(0);
});

it(`${each} processes told to stop at random instants end by themselves`, async () => {
  const ends = new Map<number | null, number>();
  await withProcesses('stopped', async (processes, round) => {
    const graceSeconds = round % 2 === 0 ? '20' : '30';
    const afterMs = processes.somewhere(runMsMax);
    const args = ['--grace-seconds', graceSeconds];
    const { exitCode, signal } = await processes.interrupted('SIGTERM', afterMs, ...args);
    // Before the command has begun, the signal ends the process as it ends any other.
    const end = signal === 'SIGTERM' ? 143 : exitCode;
    ends.set(end, (ends.get(end) ?? 0) + 1);
    processes.pass(11);
  });
  console.log('stopped', JSON.stringify([...ends]));
  expect([...ends.keys()].filter((code) => code !== 0 && code !== 143)).toEqual([]);
});

it(`two processes at once, ${each} times, one of them killed in every third`, async () => {
  await withProcesses('two at once', async (processes, round) => {
    const one = processes.start();
    const other =
      round % 3 === 2
        ? processes.interrupted('SIGKILL', processes.somewhere(runMsMax))
        : processes.start().ended;
    const ended = await Promise.all([one.ended, other]);
    for (const { exitCode, signal, errors } of ended) {
      if (signal === null)
        expect({ exitCode, errors }).toEqual({
          exitCode: 0,
          errors: expect.not.stringContaining('error '),
        });
    }
    processes.pass(11);
  });
});
