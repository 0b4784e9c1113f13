// Processes that merge the same and adjacent windows at once, with others who commit right before them a given number of times.
// Promises: after every round each window is one snapshot and rows are those of the simulated table, whoever won; a process
// that was outrun ten times says COMMIT_CONFLICT, and the next run completes.
// Source: the design, "The table" (after a lost race).

import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { expect } from 'vitest';
import { serializeTableMetadata } from '../../../pipeline/lake/iceberg/metadata.js';
import type { OpenTable } from '../../../pipeline/lake/open-table.js';
import type { MergeReport } from '../../../pipeline/reports.js';
import { Random } from '../../../pipeline/simulator/random.js';
import type { TableMetadata } from '../../../schemas/iceberg.js';
import type { SimulatedGlue } from '../../aws/simulated-glue.js';
import { awsEnvironment } from '../../aws/simulated-s3.js';
import { ForeignWriter } from '../../scenarios/foreign-writer.js';
import { type CatalogKind, canary, FaultLake } from './fault-lake.js';

const program = path.resolve(import.meta.dirname, 'race-worker.mjs');

/** What each process of a round merges: hours from where the lake is. */
export const racePlans: readonly (readonly (readonly number[])[])[] = [
  [[0], [0]],
  [
    [0, 1],
    [0, 1],
  ],
  [[0], [0], [0], [0]],
  [[0, 1, 2], [0], [0, 1], [0, 1, 2]],
  [[0], [0, 1]],
];

/** Hours told of a lake; then the next one is begun, so that its metadata stays small. */
const hoursOfLake = 16;
const conflictsMax = 12;

type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'committing' }
  | {
      readonly type: 'merged';
      readonly reports: readonly MergeReport[];
      readonly error: string | null;
    };

/** A process that merges when it is told to. */
class Racer {
  readonly #child: ChildProcess;
  #output = '';
  #heard: (message: Message) => void = () => {};

  constructor(url: string) {
    this.#child = fork(program, {
      env: { ...process.env, ...awsEnvironment, AWS_ENDPOINT_URL: url },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (text: Buffer) => {
        this.#output += text.toString();
      });
    }
    this.#child.on('message', (message) => this.#heard(message as Message));
  }

  static async start(url: string): Promise<Racer> {
    const racer = new Racer(url);
    await racer.#hear((message) => (message.type === 'ready' ? null : undefined));
    return racer;
  }

  /** Merges; `committing` is called before each attempt to commit, which waits for it. */
  merge(
    options: object,
    committing: () => Promise<void>,
  ): Promise<{ readonly reports: readonly MergeReport[]; readonly error: string | null }> {
    const merged = this.#hear((message) => {
      if (message.type === 'merged') return message;
      committing().then(
        () => this.#child.send({ type: 'go' }),
        (error: unknown) => this.#child.emit('error', error),
      );
      return undefined;
    });
    this.#child.send({ type: 'merge', options });
    return merged;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  /** Listens until `take` gives something. */
  #hear<T>(take: (message: Message) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`a process ended: ${this.#output}`));
      this.#child.once('exit', ended);
      this.#child.once('error', reject);
      this.#heard = (message) => {
        const taken = take(message);
        if (taken === undefined) return;
        this.#child.off('exit', ended);
        this.#child.off('error', reject);
        resolve(taken);
      };
    });
  }
}

/** Another program at a lake in any catalog. */
class Rival extends ForeignWriter {
  readonly #lake: FaultLake;

  constructor(lake: FaultLake) {
    super(lake);
    this.#lake = lake;
  }

  override async publish(open: OpenTable, md: TableMetadata): Promise<void> {
    const { 'metadata-log': log } = open.md;
    const entry = {
      'timestamp-ms': open.md['last-updated-ms'],
      'metadata-file': open.entry.metadataUri,
    };
    const catalog = await this.#lake.catalog();
    const bytes = serializeTableMetadata({ ...md, 'metadata-log': [...log, entry] });
    const outcome = await catalog.commit(this.#lake.database, open.table, open.entry, bytes);
    if (outcome !== 'committed') throw new Error(`the foreign commit ended in ${outcome}`);
  }

  /** A commit of its own: all files rewritten, or a property; false when somebody else was first. */
  async commitSomething(isCompaction: boolean, label: string): Promise<boolean> {
    try {
      if (!isCompaction) await this.setProperty('owner', label);
      else {
        const files = await this.files();
        const added = [];
        for (const file of files) added.push(await this.copyOf(file));
        await this.commit('replace', { added, removed: files.map(({ file }) => file.path) });
      }
      return true;
    } catch (error) {
      if (/COMMIT_CONFLICT|ended in conflict/.test(String(error))) return false;
      throw error;
    }
  }
}

export interface RaceFigures {
  rounds: number;
  /** Commits of others that came right before one of ours. */
  conflicts: number;
  readonly outcomes: Record<string, number>;
}

export class LongRaces {
  readonly figures: RaceFigures = { rounds: 0, conflicts: 0, outcomes: {} };
  readonly #sim: SimulatedGlue;
  readonly #kind: CatalogKind;
  readonly #racers: readonly Racer[];
  readonly #random: Random;
  #lake: FaultLake | null = null;
  #rival: Rival | null = null;
  #at = hoursOfLake;

  private constructor(
    sim: SimulatedGlue,
    kind: CatalogKind,
    racers: readonly Racer[],
    seed: string,
  ) {
    this.#sim = sim;
    this.#kind = kind;
    this.#racers = racers;
    this.#random = new Random(seed, 'races');
  }

  /** Starts `processes` of them. */
  static async open(
    sim: SimulatedGlue,
    kind: CatalogKind,
    processes: number,
    seed: string,
  ): Promise<LongRaces> {
    const { url } = sim.s3.simulator;
    const racers = await Promise.all(Array.from({ length: processes }, () => Racer.start(url)));
    return new LongRaces(sim, kind, racers, seed);
  }

  close(): void {
    for (const racer of this.#racers) racer.close();
    this.#lake?.close();
  }

  /** One round: a process for each list of the plan, each outrun by others so many times: 0 to 12, mostly a few. */
  async round(plan: readonly (readonly number[])[]): Promise<void> {
    const windowCount = Math.max(...plan.flat()) + 1;
    const lake = await this.#lakeFor(windowCount);
    const windows: string[] = [];
    for (let h = 0; h < windowCount; h++) windows.push(await lake.tale.window(this.#at + h));
    const before = (await lake.check({ verify: false })).snapshots;
    const rival = this.#rival!;
    const merges = plan.map(async (hours, i) => {
      let left = this.#conflictCount();
      const exportUris = hours.map((h) => windows[h]!);
      return this.#racers[i]!.merge({ ...lake.target, exportUris }, async () => {
        if (left === 0) return;
        left -= 1;
        const isCompaction = this.#random.chance(0.25);
        if (await rival.commitSomething(isCompaction, `${i} ${left}`)) this.figures.conflicts += 1;
      });
    });
    let isBehind = true;
    for (const { reports, error } of await Promise.all(merges)) {
      expect(error).toBeNull();
      expect(JSON.stringify(reports)).not.toContain(canary);
      for (const report of reports) this.#note(report);
      const isDone = reports.every(({ action }) => action !== 'refused');
      if (isDone && reports.length === windowCount) isBehind = false;
    }
    // Those with work to the end may all have been outrun too often.
    const actions = await lake.done('merge', ...windows);
    if (!isBehind) expect(new Set(actions)).toEqual(new Set(['known']));
    this.#at += windowCount;
    this.figures.rounds += 1;
    const after = await lake.check({ verify: this.figures.rounds % 8 === 0 });
    expect(after).toMatchObject({ hour: this.#at, snapshots: before + windowCount });
    // A rival that lost leaves its files; a run of ours does not.
    const ours = after.orphans.filter((uri) => /\/data\/(?!.*copy-)/.test(uri));
    expect(ours).toEqual([]);
  }

  #note({ action, error }: MergeReport): void {
    const outcome = error === null ? action : error.code;
    this.figures.outcomes[outcome] = (this.figures.outcomes[outcome] ?? 0) + 1;
    // Who waits for a window that another failed to bring is told that it is missing.
    expect(['applied', 'known', 'COMMIT_CONFLICT']).toContain(outcome);
  }

  #conflictCount(): number {
    const random = this.#random;
    return random.chance(0.7) ? random.below(4) : random.below(conflictsMax + 1);
  }

  async #lakeFor(windowCount: number): Promise<FaultLake> {
    if (this.#lake !== null && this.#at + windowCount <= hoursOfLake) return this.#lake;
    this.#lake?.close();
    this.#lake = await FaultLake.open(this.#sim, this.#kind);
    this.#rival = new Rival(this.#lake);
    this.#lake.tell(hoursOfLake);
    await this.#lake.loadAt(0);
    this.#at = 0;
    return this.#lake;
  }
}
