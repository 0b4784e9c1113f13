// The command as a process that is killed at random instants: at the n-th request or at the one that commits, before or after
// it is applied, or some milliseconds on its way. What is left is looked at, and the same command is given again.
// Promises: after every kill the lake is one whole state; after every run that is let live it is at its end, and `verify` is
// clean. Choices come from a seed; what the clock decides is only how far a process came.
// Source: the design, "Faults and races"; pipeline/cli/main.ts as it is built in dist/.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Random } from '../../../pipeline/simulator/random.js';
import { SimulatedGlue } from '../../aws/simulated-glue.js';
import { awsEnvironment } from '../../aws/simulated-s3.js';
import { type AwsCatalogKind, canary, FaultLake } from './fault-lake.js';

const main = path.resolve(import.meta.dirname, '../../../dist/pipeline/cli/main.js');

/** One command of a lake's life: its arguments, and the hour it leads to. */
interface Chapter {
  readonly args: readonly [string, ...string[]];
  readonly from: number | null;
  readonly to: number;
}

/** The requests that commit. */
const commits = {
  files: { service: 's3', operation: 'PutObject', key: '*/metadata/v*.metadata.json' },
  glue: { service: 'glue', operation: ['CreateTable', 'UpdateTable'] },
} as const;

/** Kills in a row at most before a run is let live. */
const killsInARowMax = 3;

export interface KillFigures {
  kills: number;
  /** Of these, at any request, at one that commits, and after so many milliseconds. */
  atRequests: number;
  atCommits: number;
  atTimes: number;
  /** Kills that found the work of the command, or a part of it, in the lake. */
  afterCommits: number;
  /** Processes that ended by themselves before their instant came. */
  outlived: number;
  orphans: number;
}

export class KillLane {
  readonly figures: KillFigures = {
    kills: 0,
    atRequests: 0,
    atCommits: 0,
    atTimes: 0,
    afterCommits: 0,
    outlived: 0,
    orphans: 0,
  };
  readonly #sim: SimulatedGlue;
  readonly #kind: AwsCatalogKind;
  readonly #random: Random;
  /** Requests of a whole run of a chapter's command, by the hour it leads to. */
  readonly #requests = new Map<number, number>();
  /** What one request of a process takes with the work before it, in ms, as last seen. */
  #requestMs = 15;

  private constructor(sim: SimulatedGlue, kind: AwsCatalogKind, seed: string) {
    this.#sim = sim;
    this.#kind = kind;
    this.#random = new Random(seed, 'kills');
  }

  static async open(kind: AwsCatalogKind, seed: string): Promise<KillLane> {
    return new KillLane(await SimulatedGlue.start(), kind, seed);
  }

  /** Ends it; the next process after the killed ones must have found and removed their scratch space. What bears an id that
   *  another process has got meanwhile may stay: it could be that one's. */
  async close(): Promise<void> {
    const lake = await FaultLake.open(this.#sim, 'files');
    const ownerless = this.#ownerlessScratch();
    const child = this.#spawn(lake, ['status'], 1);
    await once(child, 'close');
    const left = this.#ownerlessScratch().filter((name) => ownerless.includes(name));
    await this.#sim.close();
    expect(left).toEqual([]);
  }

  /** Names in the scratch space of processes that are not there any more. */
  #ownerlessScratch(): readonly string[] {
    return readdirSync(this.#scratch).filter((name) => {
      const pid = /-(\d+)-[0-9a-f]+$/.exec(name)?.[1];
      return pid === undefined || !isRunning(Number(pid));
    });
  }

  get #scratch(): string {
    return path.join(this.#sim.s3.folder, 'scratch');
  }

  /** Kills so many processes, over as many lakes as it takes. Calibrated, it knows how many requests there are to die at. */
  async kill(count: number, { isCalibrated } = { isCalibrated: true }): Promise<void> {
    if (isCalibrated) await this.#calibrate();
    while (this.figures.kills < count) {
      const lake = await FaultLake.open(this.#sim, this.#kind);
      lake.tell(8);
      for (const chapter of await chaptersOf(lake)) {
        await this.#live(lake, chapter, count);
        if (this.figures.kills >= count) break;
      }
    }
  }

  /** Counts the requests of each chapter, with nobody killed. */
  async #calibrate(): Promise<void> {
    const lake = await FaultLake.open(this.#sim, this.#kind);
    lake.tell(8);
    for (const chapter of await chaptersOf(lake)) await this.#finish(lake, chapter);
  }

  /** Runs a chapter's command to its end. */
  async #finish(lake: FaultLake, chapter: Chapter): Promise<void> {
    const { simulator } = this.#sim.s3;
    simulator.clearRequests();
    const ran = await lake.run(...chapter.args);
    expect(ran.exitCode, ran.err).toBe(0);
    const known = this.#requests.get(chapter.to) ?? 0;
    this.#requests.set(chapter.to, Math.max(known, simulator.requests().length));
  }

  /** Plays a chapter to its end. */
  async #live(lake: FaultLake, chapter: Chapter, count: number): Promise<void> {
    const row = 1 + this.#random.below(killsInARowMax);
    const before = (await lake.check({ verify: false })).snapshots;
    for (let i = 0; i < row && this.figures.kills < count; i++) {
      if (!(await this.#killed(lake, chapter))) break;
      const { hour, orphans } = await lake.check({ verify: false });
      const isMoved = hour !== chapter.from;
      if (isMoved) {
        expect(hour).toBeGreaterThan(chapter.from ?? -1);
        expect(hour).toBeLessThanOrEqual(chapter.to);
        this.figures.afterCommits += 1;
      }
      this.figures.orphans = Math.max(this.figures.orphans, orphans.length);
    }
    await this.#finish(lake, chapter);
    const end = await lake.check();
    expect(end.hour).toBe(chapter.to);
    const isLoad = chapter.args[0] === 'load';
    const windows = isLoad ? 1 : chapter.to - (chapter.from ?? 0);
    expect(end.snapshots).toBe(before + windows);
  }

  /** Runs the command until its instant; false when it ended before. */
  async #killed(lake: FaultLake, { args, to }: Chapter): Promise<boolean> {
    const random = this.#random;
    const { simulator } = this.#sim.s3;
    const requests = this.#requests.get(to) ?? 20;
    const mode = (['atRequests', 'atCommits', 'atTimes'] as const)[random.below(3)]!;
    const nth = 1 + random.below(requests + 1);
    const applied = random.chance(0.5);
    const afterMs = random.below(Math.ceil(requests * this.#requestMs));
    const hang = { fault: 'hang', applied } as const;
    const commit = { ...commits[this.#kind], nth: 1 + random.below(3) };
    const rules = { atRequests: { nth }, atCommits: commit, atTimes: null }[mode];
    simulator.setFaults(rules === null ? [] : [{ ...rules, do: hang }]);
    simulator.clearRequests();
    const child = this.#spawn(lake, args, random.chance(0.15) ? 2 : 1);
    const output = outputOf(child);
    const ended = once(child, 'close');
    let firstMs: number | null = null;
    for (;;) {
      if (child.exitCode !== null) break;
      if (firstMs === null && simulator.requests().length > 0) firstMs = performance.now();
      const isTime =
        mode === 'atTimes'
          ? firstMs !== null && performance.now() - firstMs >= afterMs
          : simulator.faultUses()[0]!.fired > 0;
      if (isTime) break;
      await sleep(1);
    }
    if (firstMs !== null) {
      this.#requestMs = (performance.now() - firstMs) / simulator.requests().length;
    }
    const isAlive = child.kill('SIGKILL');
    await ended;
    const isKilled = isAlive && child.signalCode === 'SIGKILL';
    simulator.setFaults([]);
    expect(output()).not.toContain(canary);
    if (!isKilled) {
      expect(child.exitCode, output()).toBe(0);
      this.figures.outlived += 1;
      return false;
    }
    this.figures.kills += 1;
    this.figures[mode] += 1;
    return true;
  }

  #spawn(lake: FaultLake, args: readonly string[], threads: number): ChildProcess {
    const { lake: uri, database, catalog } = lake.target;
    const where = ['--lake', uri, '--database', database, '--catalog', catalog, '--json'];
    // Scratch space of the killed goes when the simulator's folder goes.
    const scratch = this.#scratch;
    mkdirSync(scratch, { recursive: true });
    return spawn(process.execPath, [main, ...args, ...where, '--threads', `${threads}`], {
      cwd: scratch,
      env: {
        ...process.env,
        ...awsEnvironment,
        AWS_ENDPOINT_URL: this.#sim.s3.simulator.url,
        TMPDIR: scratch,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** A lake's life: a load, windows one by one and several at once, a new epoch, and windows again. */
async function chaptersOf({ tale }: FaultLake): Promise<readonly Chapter[]> {
  const windows = [];
  for (let h = 0; h < 8; h++) windows.push(await tale.window(h));
  return [
    { args: ['load', await tale.full(0), '--key', 'pk'], from: null, to: 0 },
    { args: ['merge', windows[0]!], from: 0, to: 1 },
    { args: ['merge', windows[1]!, windows[2]!, windows[3]!], from: 1, to: 4 },
    { args: ['load', await tale.full(5)], from: 4, to: 5 },
    { args: ['merge', ...windows.slice(5)], from: 5, to: 8 },
  ];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function outputOf(child: ChildProcess): () => string {
  let all = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (text: Buffer) => {
      all += text.toString();
    });
  }
  return () => all;
}
