// Scan unit: some data files of an export become segments. Every byte is verified on the way; types are guessed, kept
// when they prove right, and guessed anew for the next batch when they do not. Pure function of its input files.

import type { KeyAttribute } from '../../schemas/attribute.js';
import { refuse } from '../../schemas/errors.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { sameType } from '../../transforms/adapt-rows.js';
import { ScanLane } from '../../transforms/kernel/scan-lane.js';
import type { Rows, TypedAttribute } from '../../transforms/make-columns.js';
import { packOrdered, packRows } from '../../transforms/pack-rows.js';
import { planTypes } from '../../transforms/plan-types.js';
import { ItemScanner, RecordError, scanKeyType } from '../../transforms/scan-items.js';
import { addStats, emptyStats, type TypeStats } from '../../transforms/type-stats.js';
import { countMismatch, streamDataFile, verifyMd5 } from '../export/stream-data-file.js';
import { type Routing, routeRows } from './routing.js';
import type { Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

/** Bytes of columns after which a batch is cut off. */
const batchBytesMax = 20 * 1024 * 1024;
/** Rows after which a batch is cut off. */
const batchRowsMax = 65_536;

export interface ScanInput {
  readonly files: readonly ExportDataFile[];
  readonly records: 'items' | 'changes';
  readonly key: readonly KeyAttribute[];
  /** Columns to begin with, the key's first, as the table has them or as a sample suggests. */
  readonly types: readonly TypedAttribute[];
  /** What is known already, to guess better. */
  readonly stats: ReadonlyMap<string, TypeStats>;
  /** Whether the columns stay as they are (a merge), or follow what is seen (a load). */
  readonly fixed: boolean;
  readonly routing: Routing;
  /** Whether segments go to scratch space at once. */
  readonly spill: boolean;
}

export interface ScanOutput {
  readonly segments: readonly Segment[];
  readonly stats: Map<string, TypeStats>;
  readonly records: number;
}

/** The types to scan with: number keys as text, the rest as given. */
export function scanTypes(
  types: readonly TypedAttribute[],
  key: readonly KeyAttribute[],
): TypedAttribute[] {
  return types.map((column, i) =>
    i < key.length ? { attribute: column.attribute, type: scanKeyType(key[i]!.tag) } : column,
  );
}

/** Adds the statistics of `more` to those of `all`, attribute by attribute. */
export function addAttributeStats(
  all: Map<string, TypeStats>,
  more: ReadonlyMap<string, TypeStats>,
): void {
  for (const [attribute, stats] of more) {
    let own = all.get(attribute);
    if (own === undefined) {
      own = emptyStats();
      all.set(attribute, own);
    }
    addStats(own, stats);
  }
}

/** Scans data files into segments. Throws refusals that name file and line, never content. */
export async function scanUnit(
  input: ScanInput,
  context: UnitContext,
): Promise<UnitResult<ScanOutput>> {
  const batches = new Batches(input, context);
  try {
    return await scanFiles(input, context, batches);
  } finally {
    batches.close();
  }
}

async function scanFiles(
  input: ScanInput,
  context: UnitContext,
  batches: Batches,
): Promise<UnitResult<ScanOutput>> {
  let records = 0;
  for (const file of input.files) {
    let lines = 0;
    for await (const block of streamDataFile(context.store, file)) {
      try {
        lines += batches.scan(block);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        // A damaged file is a matter of its checksum first, whatever its lines look like.
        await verifyMd5(context.store, file);
        throw recordRefusal(file, lines + error.line + 1, error);
      }
      await batches.flush(false);
    }
    if (lines !== file.itemCount) throw countMismatch(file, lines);
    records += lines;
  }
  await batches.flush(true);
  const { segments, seen } = batches;
  const transfer = segments.flatMap((s) =>
    s.bytes === null ? [] : [s.bytes.buffer as ArrayBuffer],
  );
  return { output: { segments, stats: seen, records }, transfer };
}

function recordRefusal(file: ExportDataFile, line: number, error: RecordError): Error {
  const name = file.uri.slice(file.uri.lastIndexOf('/') + 1);
  return refuse(
    error.code,
    `${name}, line ${line}: ${error.message}`,
    'an export that is not exactly as DynamoDB writes it cannot be trusted; nothing was written',
    'ask for the export again, and load or merge the new one',
  );
}

/** Rows under way: those of usual lines in the fast lane, all others in the scanner that knows every case. */
class Batches {
  readonly segments: Segment[] = [];
  readonly seen = new Map<string, TypeStats>();
  private readonly input: ScanInput;
  private readonly context: UnitContext;
  private readonly known = new Map<string, TypeStats>();
  private types: readonly TypedAttribute[];
  private scanner: ItemScanner;
  private readonly lane = new ScanLane();

  constructor(input: ScanInput, context: UnitContext) {
    this.input = input;
    this.context = context;
    addAttributeStats(this.known, input.stats);
    this.types = scanTypes(input.types, input.key);
    this.scanner = this.newScanner();
  }

  close(): void {
    this.lane.close();
  }

  private newScanner(): ItemScanner {
    const plan = { types: this.types, key: this.input.key };
    this.lane.setPlan(plan, this.input.records);
    return new ItemScanner(plan);
  }

  scan(block: Uint8Array): number {
    const { lane } = this;
    if (lane.isIdle) return this.scanAll(block);
    return lane.scan(block, (line, index) => {
      try {
        this.scanAll(line);
      } catch (error) {
        if (error instanceof RecordError) error.line = index;
        throw error;
      }
    });
  }

  private scanAll(block: Uint8Array): number {
    return this.input.records === 'items'
      ? this.scanner.scanItems(block)
      : this.scanner.scanChanges(block);
  }

  async flush(last: boolean): Promise<void> {
    const { scanner, lane } = this;
    const quick = lane.n;
    const n = scanner.rows.n + quick;
    if (n === 0) return;
    const first = this.types.length === this.input.key.length && !this.input.fixed;
    const bytes = scanner.rows.byteSize + (quick === 0 ? 0 : lane.byteSize);
    if (!last && !first && n < batchRowsMax && bytes < batchBytesMax) return;
    const batch: Map<string, TypeStats> = new Map();
    for (const part of [quick === 0 ? null : lane, scanner.rows.n === 0 ? null : scanner]) {
      if (part === null) continue;
      const { rows, stats } = part.finish();
      addAttributeStats(batch, stats);
      await this.cut(rows);
      part.reset();
    }
    addAttributeStats(this.seen, batch);
    if (this.input.fixed) return;
    addAttributeStats(this.known, batch);
    const types = scanTypes(planTypes(this.input.key, this.known), this.input.key);
    if (!sameTypes(this.types, types)) {
      this.types = types;
      this.scanner = this.newScanner();
    }
  }

  private async cut(rows: Rows): Promise<void> {
    const { order, parts } = routeRows(rows, this.input.key, this.input.routing);
    for (const part of parts) {
      const bytes =
        parts.length === 1
          ? packRows(rows)
          : packOrdered(rows, order.subarray(part.start, part.end));
      const ref = this.input.spill ? await this.context.scratch.write([bytes]) : null;
      this.segments.push({
        partition: part.partition,
        range: part.range,
        rowCount: part.end - part.start,
        types: rows.types,
        bytes: ref === null ? bytes : null,
        ref,
      });
    }
  }
}

function sameTypes(a: readonly TypedAttribute[], b: readonly TypedAttribute[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (column, i) => column.attribute === b[i]!.attribute && sameType(column.type, b[i]!.type),
    )
  );
}
