// Real processes of the command that merge into one lake on disk at the same time, with or without a compactor among them.
// Promises: whatever they did, each window is one snapshot, and rows are those of the simulated table; else it throws.
// Source: the design, "Faults and races"; pipeline/cli/main.ts as it is built in dist/.

import { spawn } from 'node:child_process';
import path from 'node:path';
import type { MergeReport } from '../../pipeline/index.js';
import { ForeignWriter } from './foreign-writer.js';
import { DiskStory, database, differences, expectedItems } from './story-world.js';
import { hour, Tale } from './tale.js';

const command = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');

export interface Ended {
  readonly exitCode: number | null;
  readonly reports: readonly MergeReport[];
  readonly errors: string;
}

export class ProcessRaces {
  readonly lake: DiskStory;
  readonly #tale: Tale;
  readonly #foreign: ForeignWriter;
  readonly #hours: number;
  /** Hours that have been merged. */
  #at = 0;
  /** Outcomes of all exports in all processes, by action or error code. */
  readonly outcomes = new Map<string, number>();
  compactions = 0;

  private constructor(lake: DiskStory, tale: Tale, hours: number) {
    this.lake = lake;
    this.#tale = tale;
    this.#foreign = new ForeignWriter(lake);
    this.#hours = hours;
  }

  /** A table on disk with `hours` hours to come, in which keys come, go and come back. */
  static async open(seed: string, hours: number): Promise<ProcessRaces> {
    const lake = DiskStory.open(seed);
    const tale = new Tale(lake, { seed });
    for (let n = 0; n < 40; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
    for (let h = 0; h < hours; h++) {
      tale.put(h, { pk: { S: `k${(h * 7) % 50}` }, n: { N: `${h}` }, h: { N: `${h}` } });
      tale.delete(h, { pk: { S: `k${(h * 11 + 3) % 50}` } }, 2);
      tale.put(h, { pk: { S: `h${h % 20}` }, n: { N: '1' } }, 3);
    }
    await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
    return new ProcessRaces(lake, tale, hours);
  }

  get hoursLeft(): number {
    return this.#hours - this.#at;
  }

  close(): void {
    this.lake.close();
  }

  /**
   * One round: a process for each list in `plans`, all at once, which merges the windows of those hours, counted from where the
   * lake is. Afterwards the table must be at the end of the last of them. Exit codes other than 0 and 3 are errors.
   */
  async round(
    plans: readonly (readonly number[])[],
    compacting = false,
  ): Promise<readonly Ended[]> {
    const end = this.#at + Math.max(...plans.flat()) + 1;
    const windows = new Map<number, string>();
    for (const h of new Set(plans.flat())) {
      windows.set(h, await this.#tale.window(this.#at + h, this.#at + h + 1, { files: 1 }));
    }
    const before = await this.lake.snapshots();
    const compactionsBefore = this.compactions;
    const running = { isRunning: true };
    const compactor = compacting ? this.#compact(running) : Promise.resolve();
    const all = await Promise.all(
      plans.map((hours) => this.#merge(hours.map((h) => windows.get(h)!))),
    );
    running.isRunning = false;
    await compactor;
    for (const ended of all) this.#note(ended);
    const windowCount = end - this.#at;
    this.#at = end;
    const after = await this.lake.snapshots();
    const compactions = this.compactions - compactionsBefore;
    if (after - before - compactions !== windowCount) {
      throw new Error(
        `${windowCount} windows and ${compactions} compactions made ${after - before} snapshots`,
      );
    }
    const found = await this.lake.items();
    const { missing, extra } = differences(found, expectedItems(this.#tale.table, hour(end)));
    if (missing.length + extra.length > 0) {
      throw new Error(`at hour ${end}: missing ${missing.join()}, extra ${extra.join()}`);
    }
    return all;
  }

  #note({ exitCode, reports, errors }: Ended): void {
    if (exitCode !== 0 && exitCode !== 3)
      throw new Error(`a process ended with ${exitCode}: ${errors}`);
    for (const { action, error } of reports) {
      const outcome = error === null ? action : error.code;
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    }
  }

  async #merge(uris: readonly string[]): Promise<Ended> {
    const { lake, folder } = this.lake;
    const args = [
      'merge',
      ...uris,
      '--lake',
      lake,
      '--database',
      database,
      '--json',
      '--threads',
      '1',
    ];
    const child = spawn(process.execPath, [command, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const reports = out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as MergeReport);
    return { exitCode, reports, errors };
  }

  /** Rewrites all files, over and over; a lost race costs a compaction, as it does for engines. */
  async #compact(running: { readonly isRunning: boolean }): Promise<void> {
    while (running.isRunning) {
      const files = await this.#foreign.files();
      const added = [];
      for (const file of files) added.push(await this.#foreign.copyOf(file));
      const removed = files.map(({ file }) => file.path);
      try {
        await this.#foreign.commit('replace', { added, removed });
        this.compactions++;
      } catch (error) {
        if (!/COMMIT_CONFLICT|ended in conflict/.test(String(error))) throw error;
      }
      // Merges must get a turn: each needs longer than a compaction of a small table.
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }
}
