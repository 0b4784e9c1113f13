// What a decision consists of: one plain value per action, in the order in which they are to be done.
// The last one may be a state (wait, refuse, nothing); whoever acts decides anew after every load and merge.

import type { ErrorFacts } from '../../schemas/errors.js';
import type { Window } from '../../schemas/export-manifest.js';
import type { ExportRequest, KnownFull, KnownWindow } from '../../schemas/table-exports.js';

/** Read what lies below an S3 prefix, describe the exports found there, and decide again: nothing else was decided. */
export interface Look {
  readonly do: 'look';
  readonly s3Prefix: string;
}

/** The chain cannot go on and a new epoch may begin: `why` is the refusal it would else have been. */
export interface Reseed {
  readonly do: 'reseed';
  readonly why: ErrorFacts;
}

export interface RequestFull {
  readonly do: 'request-full';
  readonly exportTimeMs: number;
  readonly request: ExportRequest;
}

export interface RequestWindow {
  readonly do: 'request-window';
  readonly window: Window;
  readonly request: ExportRequest;
}

/** Apply these windows, in this order: each starts where the one before ends, the first at the watermark. */
export interface MergeExports {
  readonly do: 'merge';
  readonly exports: readonly KnownWindow[];
}

/** Load a full export as a new epoch. */
export interface LoadExport {
  readonly do: 'load';
  readonly export: KnownFull;
  /** The table's id, when the lake held another table until now; else null. */
  readonly acceptTableId: string | null;
}

export type WaitReason =
  /** Exports are in progress or were asked for. */
  | 'exports-running'
  /** The table is being made, or recovery was switched on just now: no instant can be exported yet. */
  | 'no-instant-yet'
  /** The run is nearly over, and there is something to load or merge. */
  | 'time-budget';

export interface Wait {
  readonly do: 'wait';
  readonly why: WaitReason;
  /** When looking again makes sense. */
  readonly untilMs: number;
}

/** A person has to act: `error.next` is the command. */
export interface Refuse {
  readonly do: 'refuse';
  readonly error: ErrorFacts;
}

/** The lake is at the newest window there can be. */
export interface Nothing {
  readonly do: 'nothing';
  readonly freshToMs: number;
  /** When the next window can be asked for, if the recovery window goes on moving. */
  readonly nextMs: number;
}

export type Action =
  | Look
  | Reseed
  | RequestFull
  | RequestWindow
  | MergeExports
  | LoadExport
  | Wait
  | Refuse
  | Nothing;
