// `tidelake unload`: a lake table as DynamoDB JSON again.
// Promises only *.json.gz files below the folder, with every item exactly as it came in.
// Spec: DESIGN "The command"; Amazon DynamoDB Developer Guide, "DynamoDB data import from Amazon S3".

import { z } from 'zod';
import {
  formatBytes,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import type { UnloadReport } from '../../reports.js';
import { asOfSchema, checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { shownPlace } from '../places.js';
import { inSession } from '../session.js';

export interface UnloadFlags extends GlobalFlags {
  readonly out: string;
  readonly asOf?: string | undefined;
}

const unloadSchema = z.object({ asOf: asOfSchema.optional() });

export async function unload(this: CliContext, flags: UnloadFlags): Promise<void> {
  const input = checkInput(unloadSchema, flags, 'unload');
  await inSession(this, flags, { command: 'unload' }, async (session) => {
    const outUri = session.place(flags.out);
    const api = await session.api();
    const report = await api.unload(session.world, {
      ...session.target,
      outUri,
      ...(input.asOf === undefined ? {} : { asOf: input.asOf }),
    });
    await session.print(report, [unloadText(report, shownPlace(report.out, this.folder))]);
    return 0;
  });
}

/** An unload in words; `shown` is the folder as a person would write it. */
export function unloadText(report: UnloadReport, shown: string): string {
  const { items, files, bytes, watermark, seconds } = report;
  return (
    `${formatNumberOf(items, 'item')} in ${formatNumberOf(files, 'file')} (${formatBytes(bytes)}) at ${shown}, ` +
    `the table as of ${formatInstant(watermark)}, in ${formatSeconds(seconds)}`
  );
}
