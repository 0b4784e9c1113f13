// A small world for the scheduled job: a DynamoDB table with recovery, exports that take time, fail and get lost, and a lake
// that merges. It knows the service's rules by itself and notes every breach, so decisions are judged from outside.
// Sources: Amazon DynamoDB Developer Guide, "Requesting a table export", "Point-in-time recovery"; API Reference,
// ExportTableToPointInTime (a token is valid for 8 hours).

import type { Action } from '../../pipeline/schedule/actions.js';
import { decide } from '../../pipeline/schedule/decide.js';
import type { ScheduleConfig, Situation } from '../../pipeline/schedule/situation.js';
import type {
  ExportRequest,
  KnownExport,
  PitrFacts,
  TableFacts,
} from '../../schemas/table-exports.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Fate = 'COMPLETED' | 'FAILED' | 'LOST';

/** An export as the service knows it. */
export interface WorldExport {
  readonly arn: string;
  readonly tableId: string;
  readonly token: string;
  readonly parameters: string;
  readonly prefix: string;
  readonly from: number | null;
  /** End of the window, or the instant of a full export. */
  readonly to: number;
  readonly requestedAt: number;
  readonly doneAt: number;
  readonly fate: Fate;
}

export interface WorldLake {
  epoch: number;
  tableId: string;
  watermark: number;
}

/** An answer of the service that is an error, as its name. */
export class ServiceError extends Error {}
/** The runner dies. */
export class Crash extends Error {}

export const config: ScheduleConfig = {
  table: 'orders',
  grainMinutes: 60,
  view: 'NEW_AND_OLD_IMAGES',
  lagMinutesMax: 180,
  destination: {
    s3Bucket: 'lake-exports',
    s3Prefix: 'raw',
    s3BucketOwner: null,
    s3SseAlgorithm: null,
    s3SseKmsKeyId: null,
  },
  mayReseed: false,
  exportsAtOnceMax: 8,
  attemptsMax: 3,
  stuckMinutesMax: 24 * 60,
  deadlineMs: null,
};

export class ModelWorld {
  now: number;
  config: ScheduleConfig;
  table: TableFacts | null;
  /** The earliest instant that nothing brings back: recovery was switched on, or its period cut; null: it is off. */
  recoverySince: number | null;
  #periodDays = 35;
  lag = 5 * minute;
  lake: WorldLake | null = null;
  exports: WorldExport[] = [];
  /** What must never happen. */
  readonly breaches: string[] = [];
  /** Windows and loads committed, in order. */
  readonly commits: string[] = [];
  /** Exports the service began: each is paid for. */
  paid = 0;
  #tables = 0;
  readonly #described = new WeakMap<WorldExport, KnownExport>();
  #recent: WorldExport[] = [];
  readonly #endingOn = new Map<number, WorldExport[]>();
  readonly #under = new Map<string, WorldExport[]>();
  readonly #byToken = new Map<string, WorldExport>();
  readonly #byArn = new Map<string, WorldExport>();
  /** What becomes of the next export: minutes it takes, and its end. */
  nextFate: () => { readonly minutes: number; readonly fate: Fate } = () => ({
    minutes: 12,
    fate: 'COMPLETED',
  });

  constructor(startMs: number, given: ScheduleConfig = config) {
    this.now = startMs;
    this.config = given;
    this.table = this.#newTable();
    this.recoverySince = startMs;
  }

  #newTable(): TableFacts {
    this.#tables += 1;
    return {
      tableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
      tableName: 'orders',
      tableId: `id-${this.#tables}`,
      createdMs: this.now,
    };
  }

  /** Deletes the table and makes it again, with recovery. */
  recreate(): void {
    this.table = this.#newTable();
    this.recoverySince = this.now;
  }

  toggleRecovery(): void {
    this.recoverySince = this.now;
  }

  get periodDays(): number {
    return this.#periodDays;
  }

  /** A shorter period cuts at once, a longer one fills only forward. */
  keep(days: number): void {
    if (this.recoverySince !== null) {
      const kept = Math.min(days, this.#periodDays);
      this.recoverySince = Math.max(this.recoverySince, this.now - kept * day);
    }
    this.#periodDays = days;
  }

  earliest(): number {
    return Math.max(this.recoverySince ?? 0, this.now - this.#periodDays * day);
  }

  latest(): number {
    return this.now - this.lag;
  }

  pitr(): PitrFacts {
    if (this.table === null || this.recoverySince === null) {
      return { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null };
    }
    return {
      isEnabled: true,
      earliestMs: this.earliest(),
      latestMs: this.latest(),
      periodDays: this.#periodDays,
    };
  }

  stateOf(one: WorldExport): KnownExport['state'] {
    if (one.fate === 'LOST' || this.now < one.doneAt) return 'IN_PROGRESS';
    return one.fate;
  }

  /** What DescribeExport says; the same value for as long as it says the same. */
  describe(one: WorldExport): KnownExport {
    const state = this.stateOf(one);
    const last = this.#described.get(one);
    if (last?.state === state) return last;
    const described = this.#describe(one, state);
    this.#described.set(one, described);
    return described;
  }

  #describe(one: WorldExport, state: KnownExport['state']): KnownExport {
    const base = {
      exportArn: one.arn,
      tableId: one.tableId,
      state,
      failureCode: state === 'FAILED' ? 'S3AccessDenied' : null,
      clientToken: one.token,
      s3Bucket: 'lake-exports',
      s3Prefix: one.prefix,
      billedBytes: null,
      summaryUri: state === 'COMPLETED' ? `s3://lake-exports/${one.prefix}` : null,
      requestedAtMs: one.requestedAt,
      isReadable: true,
    };
    return one.from === null
      ? { ...base, type: 'FULL_EXPORT', exportTimeMs: one.to }
      : { ...base, type: 'INCREMENTAL_EXPORT', window: { fromMs: one.from, toMs: one.to } };
  }

  /** ExportTableToPointInTime. */
  request(request: ExportRequest): WorldExport {
    const { table } = this;
    if (table === null) throw new ServiceError('TableNotFoundException');
    const { subject } = request;
    const parameters = JSON.stringify({ ...request, attempt: 0, clientToken: '' });
    const last = this.#byToken.get(request.clientToken);
    const known = last !== undefined && this.now - last.requestedAt < 8 * hour ? last : undefined;
    if (known !== undefined) {
      if (known.parameters !== parameters) this.breaches.push('ExportConflictException');
      return known;
    }
    if (this.recoverySince === null) {
      throw new ServiceError('PointInTimeRecoveryUnavailableException');
    }
    const [from, to] =
      subject.type === 'FULL_EXPORT'
        ? [null, subject.exportTimeMs]
        : [subject.window.fromMs, subject.window.toMs];
    const length = from === null ? hour : to - from;
    const isWhole = to % 1000 === 0 && (from ?? 0) % 1000 === 0;
    const isInside = (from ?? to) >= this.earliest() && to <= this.latest();
    if (!isWhole || length < 15 * minute || length > day || !isInside) {
      throw new ServiceError('InvalidExportTimeException');
    }
    this.#checkPaidOnce(table.tableId, from, to);
    const { minutes, fate } = this.nextFate();
    return this.#begin({
      tableId: table.tableId,
      token: request.clientToken,
      parameters,
      prefix: request.s3Prefix,
      from,
      to,
      doneAt: this.now + minutes * minute,
      fate,
    });
  }

  /** A person asks for an export that the job asked for in vain. */
  exportByHand(from: number | null, to: number): void {
    const tableId = this.table!.tableId;
    this.#begin({
      tableId,
      token: `by-hand-${this.exports.length}`,
      parameters: '',
      prefix: `by-hand/${this.exports.length}`,
      from,
      to,
      doneAt: this.now,
      fate: 'COMPLETED',
    });
  }

  #begin(one: Omit<WorldExport, 'arn' | 'requestedAt'>): WorldExport {
    this.paid += 1;
    const made = { ...one, arn: `arn:export/${this.paid}`, requestedAt: this.now };
    this.exports.push(made);
    this.#recent.push(made);
    append(this.#endingOn, dayOf(made.to), made);
    append(this.#under, made.prefix, made);
    append(this.#under, made.prefix.slice(0, made.prefix.lastIndexOf('/')), made);
    this.#byToken.set(made.token, made);
    this.#byArn.set(made.arn, made);
    return made;
  }

  /** A window, or a piece of one, is paid for once, unless its export failed. */
  #checkPaidOnce(tableId: string, from: number | null, to: number): void {
    // A window has a day at most, so one that overlaps ends within a day of its end.
    const near = [-1, 0, 1].flatMap((days) => this.#endingOn.get(dayOf(to) + days) ?? []);
    const twin = (from === null ? this.exports : near).find((one) => {
      if (one.tableId !== tableId || (from === null) !== (one.from === null)) return false;
      // A full export is paid for again when the last one failed, was lost, or is of another instant and over.
      if (from === null || one.from === null) {
        const state = this.stateOf(one);
        if (state === 'FAILED' || one.fate === 'LOST') return false;
        return state === 'IN_PROGRESS' || one.to === to;
      }
      return one.from < to && from < one.to && this.stateOf(one) !== 'FAILED';
    });
    if (twin !== undefined) this.breaches.push(`paid twice: ${from} to ${to}, ${twin.arn}`);
  }

  /** Exports in a folder of the bucket, or in the folders in it. */
  under(prefix: string): readonly WorldExport[] {
    return this.#under.get(prefix) ?? [];
  }

  /** Exports of late, and those after the watermark. */
  recent(): readonly WorldExport[] {
    const endMs = this.lake?.watermark ?? 0;
    // What is neither once is neither ever after.
    this.#recent = this.#recent.filter(
      (one) => this.now - one.requestedAt < 2 * day || one.to > endMs,
    );
    return this.#recent;
  }

  /** Forgets exports so old that nothing in them can be asked for again. */
  forget(): void {
    this.exports = this.exports.filter((one) => this.now - one.requestedAt < 40 * day);
  }

  /** Applies windows as `merge` does: known ones are nothing, others must continue the watermark. False: refused. */
  merge(exports: readonly KnownExport[]): boolean {
    for (const { exportArn } of exports) {
      const one = this.#byArn.get(exportArn)!;
      const lake = this.lake!;
      if (this.stateOf(one) !== 'COMPLETED') this.breaches.push(`merged unfinished ${one.arn}`);
      if (one.tableId !== lake.tableId || one.from === null) return false;
      if (one.to <= lake.watermark) continue;
      if (one.from !== lake.watermark) return false;
      lake.watermark = one.to;
      this.commits.push(`${lake.epoch} ${one.tableId} ${one.from} ${one.to}`);
    }
    return true;
  }

  /** Loads a full export as `load` does. False: refused. */
  load(full: KnownExport, acceptTableId: string | null): boolean {
    const one = this.#byArn.get(full.exportArn)!;
    if (this.stateOf(one) !== 'COMPLETED') this.breaches.push(`loaded unfinished ${one.arn}`);
    if (one.to % 1000 !== 0) this.breaches.push(`seam at ${one.to}`);
    const { lake } = this;
    if (lake !== null) {
      const isOther = one.tableId !== lake.tableId;
      if (isOther && acceptTableId !== one.tableId) return false;
      if (one.to <= lake.watermark) return one.to === lake.watermark;
    }
    this.lake = { epoch: (lake?.epoch ?? 0) + 1, tableId: one.tableId, watermark: one.to };
    this.commits.push(`${this.lake.epoch} ${one.tableId} full ${one.to}`);
    return true;
  }
}

function dayOf(ms: number): number {
  return Math.floor(ms / day);
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** What goes wrong in one run. */
export interface Faults {
  /** ListExports shows nothing. */
  readonly isBlind?: boolean;
  /** Actions done before the runner dies; the last one's answer is lost. */
  readonly crashAfter?: number;
  /** The runner's clock, less the world's. */
  readonly skewMs?: number;
  /** Old exports and windows in the lake are not listed. */
  readonly isBrief?: boolean;
  readonly trace?: (line: string) => void;
}

/** The looks of a run, and what the service answered in it. */
interface Memory {
  readonly looked: string[];
  readonly seen: Set<WorldExport>;
}

export function observe(world: ModelWorld, faults: Faults = {}, memory?: Memory): Situation {
  const { lake } = world;
  const all = faults.isBrief === true ? world.recent() : world.exports;
  const listed = faults.isBlind === true ? [] : all;
  const unseen =
    memory === undefined ? [] : [...memory.seen].filter((one) => !listed.includes(one));
  return {
    lake:
      lake === null
        ? null
        : {
            epoch: lake.epoch,
            tableId: lake.tableId,
            watermarkMs: lake.watermark,
            gaps: [],
            doubt: null,
          },
    table: world.table,
    pitr: world.pitr(),
    exports: [...listed, ...unseen].map((one) => world.describe(one)),
    looked: memory?.looked ?? [],
    nowMs: world.now + (faults.skewMs ?? 0),
    config: world.config,
  };
}

/** Does the actions of one decision. Returns whether the lake has changed. */
export function act(
  world: ModelWorld,
  actions: readonly Action[],
  memory: Memory,
  isStale: boolean,
  step: () => void,
): boolean {
  for (const action of actions) {
    switch (action.do) {
      case 'look':
        memory.looked.push(action.s3Prefix);
        for (const one of world.under(action.s3Prefix)) memory.seen.add(one);
        break;
      case 'request-full':
      case 'request-window':
        try {
          memory.seen.add(world.request(action.request));
        } catch (error) {
          // What was right when it was decided may be wrong when it is done.
          if (!(error instanceof ServiceError)) throw error;
          if (!isStale) world.breaches.push(`asked for what cannot be: ${error.message}`);
          return false;
        }
        break;
      case 'merge':
        if (!world.merge(action.exports) && !isStale) world.breaches.push('a merge was refused');
        step();
        return true;
      case 'load':
        if (!world.load(action.export, action.acceptTableId) && !isStale) {
          world.breaches.push('a load was refused');
        }
        step();
        return true;
      default:
        break;
    }
    step();
  }
  return false;
}

/** One run of the job. Returns the decision it ended with; null when it died. */
export function run(world: ModelWorld, faults: Faults = {}): readonly Action[] | null {
  const memory: Memory = { looked: [], seen: new Set() };
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps === faults.crashAfter) throw new Crash();
  };
  try {
    // A blind run finds its own exports of weeks by their prefixes, some at a time.
    for (let i = 0; i < 500; i++) {
      const actions = decide(observe(world, faults, memory));
      if (actions.length === 0) world.breaches.push('an empty decision');
      for (const action of actions) faults.trace?.(lineOf(world, action));
      const isChanged = act(world, actions, memory, false, step);
      if (!isChanged && actions[0]?.do !== 'look') return actions;
    }
  } catch (error) {
    if (error instanceof Crash) return null;
    throw error;
  }
  world.breaches.push('a run that does not end');
  return null;
}

/** A run that decided at once with another one, and acts `delayMs` after it. */
export function runLate(world: ModelWorld, delayMs: number, faults: Faults = {}): void {
  const memory: Memory = { looked: [], seen: new Set() };
  let actions = decide(observe(world, faults, memory));
  for (let i = 0; i < 4 && actions[0]?.do === 'look'; i++) {
    act(world, actions, memory, true, () => {});
    actions = decide(observe(world, faults, memory));
  }
  run(world, faults);
  world.now += delayMs;
  act(world, actions, memory, true, () => {});
}

function lineOf(world: ModelWorld, action: Action): string {
  switch (action.do) {
    case 'look':
      return `${world.now} look ${action.s3Prefix}`;
    case 'request-full':
    case 'request-window':
      return `${world.now} request ${action.request.s3Prefix} ${action.request.clientToken}`;
    case 'merge':
      return `${world.now} merge ${action.exports.map(({ exportArn }) => exportArn).join()}`;
    case 'load':
      return `${world.now} load ${action.export.exportArn}`;
    case 'wait':
      return `${world.now} wait ${action.why} ${action.untilMs}`;
    case 'refuse':
      return `${world.now} refuse ${action.error.code}`;
    case 'reseed':
      return `${world.now} reseed ${action.why.code}`;
    case 'nothing':
      return `${world.now} nothing ${action.freshToMs}`;
  }
}
