// What a person or a test decides about the simulated DynamoDB: lags, delays, quotas, and exports that go wrong.
// Promises: an unknown word or a number out of range is refused with its place.
// Source: Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB", for what stands in when nothing is said.

import { z } from 'zod';

const milliseconds = z.number().int().min(0).max(4e12);

const exportTroubleSchema = z.strictObject({
  /** Only exports of this table. */
  table: z.string().optional(),
  /** FailureCode of an export that is to fail; absent: it does not fail. */
  code: z.string().min(1).optional(),
  /** FailureMessage; made up unless told. */
  message: z.string().optional(),
  /** Fails after its data files were written, before its manifests. */
  isPartial: z.boolean().optional(),
  /** Takes so long instead of `exportMs`. */
  exportMs: milliseconds.optional(),
  /** How many exports it hits; 1 unless told. */
  times: z.number().int().min(1).optional(),
});

const settingsSchema = z.strictObject({
  pitrLagMs: milliseconds,
  exportMs: milliseconds,
  exportsMax: z.number().int().min(0),
  exportBytesMax: z.number().int().min(0),
  dataFiles: z.number().int().min(1).max(1000),
  batchItemsMax: z.number().int().min(0).max(100),
  exportTroubles: z.array(exportTroubleSchema).max(1000),
});

/** What becomes of an export that a trouble hits. */
export interface ExportTrouble {
  readonly table?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly isPartial?: boolean | undefined;
  readonly exportMs?: number | undefined;
  readonly times?: number | undefined;
}

export interface DynamoDbSettings {
  /** How far LatestRestorableDateTime is behind now, ms. */
  readonly pitrLagMs: number;
  /** From the request of an export to its end, ms. */
  readonly exportMs: number;
  /** Exports of one type that may be in progress at the same time. */
  readonly exportsMax: number;
  /** Bytes of the tables that may be in progress in exports of one type. */
  readonly exportBytesMax: number;
  /** Data files of an export that hold items. */
  readonly dataFiles: number;
  /** Items of one batch that are done; the rest comes back unprocessed. */
  readonly batchItemsMax: number;
  /** For the exports to come: each is hit by the first trouble that is about its table. */
  readonly exportTroubles: readonly ExportTrouble[];
}

/** As AWS is, as far as it is known. An export of three items was seen to take ten minutes. */
export const defaultSettings: DynamoDbSettings = {
  pitrLagMs: 300_000,
  exportMs: 600_000,
  exportsMax: 300,
  exportBytesMax: 100e12,
  dataFiles: 4,
  batchItemsMax: 100,
  exportTroubles: [],
};

/** Settings with changes. Throws RangeError for what is none. */
export function changedSettings(before: DynamoDbSettings, changes: unknown): DynamoDbSettings {
  const parsed = settingsSchema.partial().safeParse(changes);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RangeError(`${issue.path.join('.') || 'settings'}: ${issue.message}`);
  }
  const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
  return { ...before, ...(Object.fromEntries(given) as Partial<DynamoDbSettings>) };
}

/** The trouble a new export of a table meets, and the troubles that are left. */
export function meetTrouble(
  troubles: readonly ExportTrouble[],
  table: string,
): { readonly met: ExportTrouble | null; readonly left: readonly ExportTrouble[] } {
  const at = troubles.findIndex((each) => each.table === undefined || each.table === table);
  const met = troubles[at];
  if (met === undefined) return { met: null, left: troubles };
  const times = (met.times ?? 1) - 1;
  return { met, left: troubles.toSpliced(at, 1, ...(times > 0 ? [{ ...met, times }] : [])) };
}
