// The hourly job as a pure decision: from what is, to what is to be done. It keeps nothing between runs, so it may be run
// every few minutes, twice at once, after days of outage, or after a crash anywhere: it looks again and goes on.
// Promises: windows are asked for and applied without gap or overlap; nothing is asked for twice; what only a person can heal
// is a refusal that names the command; the list is never empty.

import { commitReserveMs, exportPollMs } from '../../schemas/limits.js';
import type { TableFacts } from '../../schemas/table-exports.js';
import type { Action } from './actions.js';
import { type ChainPlan, planChain } from './plan-chain.js';
import { planEpoch } from './plan-epoch.js';
import * as refusals from './refusals.js';
import type { Situation } from './situation.js';
import { checkGrain } from './windows.js';

/**
 * The actions of one round, in order. A list with a `look` holds nothing else: read those prefixes and decide again. After a
 * merge or a load, read the lake and decide again. Throws USAGE for a grain that windows cannot have.
 */
export function decide(situation: Situation): readonly Action[] {
  const { lake, table, config } = situation;
  checkGrain(config.grainMinutes);
  if (lake === null) {
    if (table === null) return [{ do: 'refuse', error: refusals.tableGone(situation) }];
    return inTime(situation, planPast(situation, table));
  }
  if (lake.doubt !== null) return [{ do: 'refuse', error: lake.doubt }];

  const plan = planChain(situation, lake);
  if (plan.looks.length > 0) return plan.looks;
  const merges: readonly Action[] =
    plan.ready.length === 0 ? [] : [{ do: 'merge', exports: plan.ready }];
  if (plan.obstacle === null) {
    const actions = [...plan.requests, ...merges, ...stateOf(situation, plan, lake.watermarkMs)];
    return inTime(situation, actions);
  }
  if (!plan.isBroken || !config.mayReseed || table === null) {
    const refusal: Action = { do: 'refuse', error: plan.obstacle };
    return inTime(situation, [...plan.requests, ...merges, refusal]);
  }
  const epoch = planEpoch(situation, table, lake);
  if (epoch[0]?.do === 'look') return epoch;
  // What is left of the old epoch is history too.
  return inTime(situation, [{ do: 'reseed', why: plan.obstacle }, ...merges, ...epoch]);
}

/**
 * The first epoch. Where its instant is configured, the windows after it are asked for along with the full export: they
 * follow that instant alone, so they need not wait for the load.
 */
function planPast(situation: Situation, table: TableFacts): readonly Action[] {
  const epoch = planEpoch(situation, table, null);
  const { baselineMs } = situation.config;
  const isWaitingOnly = epoch[0]?.do === 'look' || epoch.some((one) => one.do === 'refuse');
  if (baselineMs === undefined || isWaitingOnly) return epoch;
  const { tableId } = table;
  const from = { epoch: 0, tableId, watermarkMs: baselineMs, gaps: [], doubt: null };
  const { looks, requests } = planChain(situation, from);
  if (looks.length > 0) return looks;
  const [first, ...rest] = epoch;
  return first?.do === 'request-full' ? [first, ...requests, ...rest] : [...requests, ...epoch];
}

/** Where a chain without obstacles stands, when that is worth saying. */
function stateOf(situation: Situation, plan: ChainPlan, watermarkMs: number): readonly Action[] {
  const { nowMs, pitr } = situation;
  if (plan.running.length + plan.requests.length > 0) {
    return [{ do: 'wait', why: 'exports-running', untilMs: nowMs + exportPollMs }];
  }
  if (plan.ready.length > 0) return [];
  const latestMs = pitr.latestMs ?? nowMs;
  const nextMs = nowMs + Math.max(exportPollMs, plan.nextToMs - latestMs);
  return [{ do: 'nothing', freshToMs: watermarkMs, nextMs }];
}

/** Without loads and merges when the run is nearly over: requests cost no time, a commit must not be cut off. */
function inTime({ nowMs, config }: Situation, actions: readonly Action[]): readonly Action[] {
  const { deadlineMs } = config;
  if (deadlineMs === null || nowMs < deadlineMs - commitReserveMs) return actions;
  const isWork = ({ do: what }: Action): boolean => what === 'merge' || what === 'load';
  if (!actions.some(isWork)) return actions;
  const rest = actions.filter((one) => !isWork(one) && one.do !== 'wait');
  const isRefused = rest.some((one) => one.do === 'refuse');
  return isRefused ? rest : [...rest, { do: 'wait', why: 'time-budget', untilMs: deadlineMs }];
}
