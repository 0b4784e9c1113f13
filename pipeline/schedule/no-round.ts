// Reports of tables for which no round was begun: refused by the configuration, or not to be reached.
// Promises: every field is there, as in a report of a round that did nothing. Spec: pipeline/reports.ts.

import { outcomeOf } from '../../schemas/errors.js';
import type { PlanReport, RoundReport } from '../reports.js';
import type { RefusedTable } from './configured-tables.js';
import { freshnessReport } from './freshness.js';

export function roundOfNone(database: string, refused: RefusedTable): RoundReport {
  const { table, source, error } = refused;
  const state = outcomeOf(error);
  return emptyRound({ database, table, source, state, waitingFor: null, error });
}

/** The report of a round that did nothing, as far as anybody knows. */
export function emptyRound(
  facts: Pick<RoundReport, 'database' | 'table' | 'source' | 'state' | 'waitingFor' | 'error'>,
): RoundReport {
  const { database, table, source, state, waitingFor, error } = facts;
  return {
    database,
    table,
    source,
    state,
    waitingFor,
    nextAt: null,
    ...freshnessReport(null),
    running: 0,
    requested: [],
    loads: [],
    merges: [],
    reseeded: null,
    upkeep: null,
    error,
    seconds: 0,
  };
}

/** The plan that belongs to such a report. */
export function planOfNone(round: RoundReport): PlanReport {
  const {
    requested: _,
    loads: __,
    merges: ___,
    reseeded: ____,
    upkeep: _____,
    seconds: ______,
    ...rest
  } = round;
  return { ...rest, actions: [], price: { usd: 0, lines: [], assumptions: [] } };
}
