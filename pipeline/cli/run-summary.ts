// Many tables in a few lines: how many are fresh, and by name those that are not.
// Promises: every table is in the counts once; a table in trouble is named with its code, however many are well.
// Spec: DESIGN "The hourly job is a pure decision" (many tables).

import { formatCount, formatNumberOf } from '../reporting/human-numbers.js';
import { plainText } from '../reporting/plain-text.js';
import type { RoundReport } from '../reports.js';

type Standing = Pick<RoundReport, 'table' | 'state' | 'waitingFor' | 'late' | 'error'>;

/** Names shown of one kind; the reports before have all. */
const namesMax = 50;

/** The summary: counts, then a line of names for each kind that a person may want to look at. */
export function summaryLines(reports: readonly Standing[]): string[] {
  const of = (state: RoundReport['state']): readonly Standing[] =>
    reports.filter((report) => report.state === state);
  const late = reports.filter((report) => report.late);
  const counts = [
    [of('fresh'), 'fresh'],
    [of('waiting'), 'waiting'],
    [of('refused'), 'refused'],
    [of('failed'), 'failed'],
  ] as const;
  const parts = counts
    .filter(([found]) => found.length > 0)
    .map(([found, word]) => `${formatCount(found.length)} ${word}`);
  if (late.length > 0) parts.push(`${formatCount(late.length)} of all late`);
  return [
    `${formatNumberOf(reports.length, 'table')}: ${parts.join(', ')}`,
    ...named('refused', of('refused')),
    ...named('failed', of('failed')),
    ...named('late', late),
    ...named('waiting', of('waiting')),
  ];
}

function named(word: string, found: readonly Standing[]): string[] {
  if (found.length === 0) return [];
  const names = [...found]
    .sort((a, b) => (a.table < b.table ? -1 : 1))
    .slice(0, namesMax)
    .map((one) => {
      const why = word === 'waiting' ? one.waitingFor : word === 'late' ? null : one.error?.code;
      return `${plainText(one.table)}${why === null || why === undefined ? '' : ` (${why})`}`;
    });
  const more = found.length > namesMax ? ` and ${formatCount(found.length - namesMax)} more` : '';
  return [`  ${word}: ${names.join(', ')}${more}`];
}
