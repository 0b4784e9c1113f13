// Real processes of `tidelake run` against one table of the simulator over HTTP: killed, told to stop, and two at once.
// Promises: whatever was done to them, rows are those of the simulated table at the watermark, no window is paid twice,
// nothing of the table is read, and each window is one snapshot; else it throws.
// Source: pipeline/cli/main.ts as it is built in dist/; failures A2, A8 and A15 of the design's catalogue.

import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoundReport } from '../../pipeline/reports.js';
import { Random } from '../../pipeline/simulator/random.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { type ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { minuteMs } from '../simulator/aws/running-dynamodb.js';
import { reportsIn } from './command-here.js';

const command = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reports: readonly RoundReport[];
  readonly errors: string;
}

export class ScheduledProcesses {
  readonly world: ScheduledWorld;
  readonly table: ScheduledTable;
  readonly #random: Random;
  #hours = 0;

  private constructor(world: ScheduledWorld, table: ScheduledTable, seed: string) {
    this.world = world;
    this.table = table;
    this.#random = new Random(seed);
  }

  /** A table that is in the lake, and fresh. */
  static async open(seed: string): Promise<ScheduledProcesses> {
    const world = await ScheduledWorld.start();
    const table = await world.table();
    await table.untilFresh();
    return new ScheduledProcesses(world, table, seed);
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** Some hours of writes, of which the last exports may be complete. */
  async hours(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.table.hour(this.#hours);
      this.#hours += 1;
    }
  }

  pass(minutes: number): void {
    this.world.aws.clock.advanceMs(minutes * minuteMs);
  }

  /** A number of milliseconds up to a bound. */
  somewhere(msMax: number): number {
    return Math.floor(this.#random.unit() * msMax);
  }

  /** A process of the command, and its end. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
    const { target, source } = this.table.job;
    const where = ['--lake', target.lake, '--database', target.database, '--catalog', 'files'];
    const what = ['--source', source, '--bucket', 'exports', '--prefix', 'raw'];
    const child = spawn(
      process.execPath,
      [command, 'run', ...args, ...what, ...where, '--json', '--threads', '1'],
      {
        env: {
          PATH: process.env.PATH,
          ...awsEnvironment,
          AWS_ENDPOINT_URL: this.world.aws.simulator.url,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode, signal) => {
        // A process that was killed may have been cut off in the middle of a line.
        const whole = out.slice(0, out.lastIndexOf('\n') + 1);
        const reports = reportsIn(whole) as unknown as RoundReport[];
        resolve({ exitCode, signal, reports, errors });
      });
    });
    return { child, ended };
  }

  /** Starts a run and sends it a signal after so many milliseconds, if it still runs then. */
  async interrupted(signal: NodeJS.Signals, afterMs: number, ...args: string[]): Promise<Ended> {
    const { child, ended } = this.start(...args);
    await Promise.race([sleep(afterMs), ended]);
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  }

  /** Waits until something was asked of the simulator that this names, from now on. */
  async asked(operation: string): Promise<void> {
    const { simulator } = this.world.aws;
    while (!simulator.requests().some((one) => one.operation === operation)) await sleep(5);
  }

  /** Runs until the table is fresh, and looks at all that was promised. */
  async settle(): Promise<RoundReport> {
    const report = await this.table.untilFresh();
    if (report.error !== null) throw new Error(`${report.error.code}: ${report.error.what}`);
    await this.#check(report.watermark!);
    return report;
  }

  async #check(watermark: string): Promise<void> {
    const faults = [...(await this.table.faults(watermark))];
    const { md } = await this.table.lake.open();
    const ends = md.snapshots.map(({ summary }) => summary['tidelake.to']);
    if (new Set(ends).size !== ends.length) faults.push('a window is two snapshots');
    if (faults.length > 0) throw new Error(`at ${watermark}: ${faults.join('; ')}`);
  }
}
