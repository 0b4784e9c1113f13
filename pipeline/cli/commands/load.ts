// `tidelake load`: a full export becomes the content of its lake table.
// Promises one commit or none; the report on stdout, how to go on when the export leaves a seam on stderr.
// Spec: DESIGN "The table", "The command".

import { z } from 'zod';
import type { TidelakeConfig } from '../../../schemas/config.js';
import type { SettingsOf } from '../../../schemas/source-settings.js';
import { bucketsMax } from '../../../schemas/table-settings.js';
import {
  formatBytes,
  formatCount,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { LoadReport } from '../../reports.js';
import { configuredSettings } from '../../schedule/table-entries.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export interface LoadFlags extends GlobalFlags {
  readonly key?: string | undefined;
  readonly buckets?: number | undefined;
  readonly partition?: string | undefined;
  readonly naming?: 'snake_case' | 'lower_case' | undefined;
  readonly rewind?: boolean | undefined;
  readonly acceptTableId?: string | undefined;
  readonly allowFiltered?: boolean | undefined;
}

const loadSchema = z
  .object({
    key: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .refine((names) => names.length <= 2 && names.every((name) => name !== ''), {
        message:
          'one or two attribute names with a comma between are expected, partition key first',
      })
      .refine((names) => names[0] !== names[1], { message: 'the same attribute is named twice' })
      .optional(),
    buckets: wholeNumber(1, bucketsMax).optional(),
    partition: z.string().min(1).optional(),
    acceptTableId: z.string().min(1).optional(),
  })
  .refine((input) => input.buckets === undefined || input.partition === undefined, {
    path: ['partition'],
    message: 'a table is laid out by --buckets or by --partition, not by both',
  });

export async function load(this: CliContext, flags: LoadFlags, exported: string): Promise<void> {
  const input = checkInput(loadSchema, flags, 'load');
  await inSession(this, flags, { command: 'load' }, async (session) => {
    const exportUri = session.place(exported);
    const api = await session.api();
    const report = await api.loadExport(session.world, {
      ...session.target,
      exportUri,
      rewind: flags.rewind === true,
      allowFiltered: flags.allowFiltered === true,
      ...settingsOf(session.config),
      ...(input.key === undefined ? {} : { key: input.key }),
      ...(flags.naming === undefined ? {} : { naming: flags.naming }),
      ...(input.buckets === undefined ? {} : { buckets: input.buckets }),
      ...(input.partition === undefined ? {} : { partition: input.partition }),
      ...(input.acceptTableId === undefined ? {} : { acceptTableId: input.acceptTableId }),
    });
    await session.print(report, loadLines(report));
    if (report.seam) session.world.reporter.warn(seamWarning(report));
    return 0;
  });
}

/** What the configuration says of tables, for an export of one of them; nothing where it says nothing. */
export function settingsOf(config: TidelakeConfig): { readonly settingsOf?: SettingsOf } {
  const { tables, defaults } = config;
  return tables === undefined && defaults === undefined
    ? {}
    : { settingsOf: configuredSettings(config) };
}

/** A load in words, one sentence. */
export function loadLines(report: LoadReport): string[] {
  const { table, rows, columns, dataFiles, bytes, misfits, epoch, watermark, seconds } = report;
  if (report.action === 'nothing') {
    return [`${table}: nothing to do: ${plainText(report.reason ?? 'the lake has it already')}`];
  }
  const odd = misfits === 0 ? '' : `, ${formatCount(misfits)} with misfits`;
  return [
    `${table}: loaded ${formatNumberOf(rows, 'row')}${odd}, ${formatNumberOf(columns, 'column')} in ${formatNumberOf(dataFiles, 'file')} (${formatBytes(bytes)}), ` +
      `epoch ${epoch}, the table as of ${formatInstant(watermark)}, in ${formatSeconds(seconds)}`,
  ];
}

function seamWarning(report: LoadReport): string {
  return (
    `${report.table}: the export was taken within a second (${report.watermark}), so no window continues it exactly; ` +
    'take a full export at a whole second, or merge the first window with --accept-seam'
  );
}
