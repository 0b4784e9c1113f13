// A round of the scheduled job in words, and the exit code of several.
// Promises: one line for each table; the line says how fresh the lake is before all else.
// Spec: DESIGN "The hourly job is a pure decision", "The command" (exit codes).

import { type ErrorFacts, exitCodeOf } from '../../schemas/errors.js';
import {
  formatCount,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../reporting/human-numbers.js';
import { plainText } from '../reporting/plain-text.js';
import type { FreshnessReport, RoundReport, WaitingFor } from '../reports.js';

type Standing = Pick<RoundReport, 'state' | 'waitingFor' | 'nextAt' | 'running'>;

/** `fresh to 2026-11-20T09:00:00Z, 35 min ago`. */
export function freshnessText(report: FreshnessReport): string {
  const { watermark, lagSeconds, late, nearEdge, gaps } = report;
  if (watermark === null) return 'not in the lake yet';
  const age = lagSeconds === null ? '' : `, ${formatSeconds(lagSeconds)} ago`;
  const parts = [`fresh to ${formatInstant(watermark)}${age}`];
  if (late) parts.push('late');
  if (nearEdge) parts.push('soon older than can be exported');
  if (gaps > 0) parts.push(`${formatNumberOf(gaps, 'gap')} accepted`);
  return parts.join(', ');
}

/** What happens next. */
export function nextText({ state, waitingFor, nextAt, running }: Standing): string {
  const next = nextAt === null ? '' : `, next ${formatInstant(nextAt.replace(/\.\d+Z$/, '.000Z'))}`;
  if (state === 'fresh') return `nothing newer to be had${next}`;
  if (state !== 'waiting') return state;
  return `${waitText(waitingFor, running)}${next}`;
}

function waitText(waitingFor: WaitingFor | null, running: number): string {
  switch (waitingFor) {
    case 'exports-running':
      return running === 0
        ? 'waiting for exports'
        : `waiting for ${formatNumberOf(running, 'export')}`;
    case 'no-instant-yet':
      return 'waiting for an instant that can be exported';
    case 'export-limit':
      return 'waiting, since too many exports of the account are in progress';
    case 'time-budget':
      return 'the time of this run is over';
    case 'stopped':
      return 'stopped';
    case null:
      return 'to be gone on with';
  }
}

/** One line for a round. */
export function roundLine(report: RoundReport): string {
  const parts = [freshnessText(report)];
  if (report.reseeded !== null) parts.push(`a new epoch, because of ${report.reseeded.code}`);
  for (const { rows } of report.loads) parts.push(`loaded ${formatNumberOf(rows, 'row')}`);
  const applied = report.merges.filter(({ action }) => action === 'applied');
  if (applied.length > 0) {
    const changes = applied.reduce(
      (sum, { inserted, updated, deleted }) =>
        sum + (inserted ?? 0) + (updated ?? 0) + (deleted ?? 0),
      0,
    );
    parts.push(
      `merged ${formatNumberOf(applied.length, 'window')} with ${formatCount(changes)} changes`,
    );
  }
  parts.push(...upkeepTexts(report.upkeep));
  if (report.requested.length > 0) {
    parts.push(`asked for ${formatNumberOf(report.requested.length, 'export')}`);
  }
  parts.push(nextText(report));
  return `${plainText(report.table)}  ${parts.join('; ')}`;
}

/** What was done besides, and what was not. */
function upkeepTexts(upkeep: RoundReport['upkeep']): string[] {
  if (upkeep === null) return [];
  const { compacted, expired, error } = upkeep;
  const written = compacted.filter(({ action }) => action === 'compacted').length;
  const snapshots = expired?.expiredSnapshots ?? 0;
  return [
    ...(written === 0 ? [] : [`compacted ${formatNumberOf(written, 'partition')}`]),
    ...(snapshots === 0 ? [] : [`expired ${formatNumberOf(snapshots, 'snapshot')}`]),
    ...(error === null ? [] : [`upkeep was not finished (${error.code})`]),
  ];
}

/** Exit code of several tables: 3 when a person has to act for one; else that of the first that failed. */
export function worstExitCode(
  reports: readonly { readonly state: RoundReport['state']; readonly error: ErrorFacts | null }[],
): number {
  if (reports.some(({ state }) => state === 'refused')) return 3;
  const failed = reports.find(({ state }) => state === 'failed');
  return failed === undefined ? 0 : exitCodeOf(failed.error?.code ?? 'INTERNAL');
}
