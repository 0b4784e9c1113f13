// One commit in AWS Glue: the request, and finding out what became of it.
// Promises: 'committed' and 'conflict' are proved by reading the table; where that cannot be done, or a request without an
// answer may still be on its way, it is 'unknown', and nothing may be deleted. A request is sent again only with the
// version and pointer it was made for: Glue applies at most one of such twins.
// Source: AWS Glue Web API Reference, UpdateTable (VersionId), "Errors"; Apache Iceberg spec, "Table Metadata Fields"
// (metadata-log); what went wrong elsewhere: apache/iceberg issues 7151, 9411, 9618.

import type { Table, TableInput } from '@aws-sdk/client-glue';
import { TidelakeError } from '../../schemas/errors.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { glueCommitTriesMax, glueCommitWaitMsMax, metadataChainMax } from '../../schemas/limits.js';
import { type GlueTable, glueTableInput } from '../catalog/glue-table-shape.js';
import { parseTableMetadata } from '../lake/iceberg/metadata.js';
import { normalUri } from '../lake/iceberg/paths.js';
import type { Clock, CommitOutcome, ObjectStore } from '../ports.js';
import { type AwsFault, awsError, faultOf, isThrottling } from './aws-errors.js';
import type { GlueRequests } from './glue-requests.js';

export interface GlueCommitOptions {
  readonly requests: GlueRequests;
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly version?: string;
  readonly place: {
    readonly database: string;
    readonly table: string;
    /** Folder of a database that has to be made. */
    readonly databaseLocation: string;
  };
  readonly md: TableMetadata;
  /** The metadata file to point to, written already. */
  readonly uri: string;
  /** The metadata file it was made from; null for a new table. */
  readonly baseUri: string | null;
}

/** What the table says of a commit: ours is in it, it is as before, another's is in it without ours, nobody can say. */
type Standing = 'ours' | 'base' | 'other' | 'unclear';

/** Errors with a 4xx status after which the request may be done all the same. */
const doubtfulCodes = new Set(['OperationTimeoutException', 'RequestTimeout']);

export class GlueCommit {
  readonly #options: GlueCommitOptions;

  constructor(options: GlueCommitOptions) {
    this.#options = options;
  }

  /** Commits on top of the table as it was found: at the base, or absent. Throws when nothing was committed and nothing
   *  can be any more. */
  async run(found: Table | null): Promise<CommitOutcome> {
    const { requests, clock, place } = this.#options;
    let existing = found;
    let isDoubtful = false;
    for (let tries = 1; ; tries++) {
      let failure: unknown;
      try {
        await this.#send(existing);
        return 'committed';
      } catch (error) {
        failure = error;
      }
      // Refused on this side, before anything was sent.
      if (failure instanceof TidelakeError && !isDoubtful) throw failure;
      const fault = faultOf(failure);
      const now = await this.#read();
      if (now === 'unreadable') return 'unknown';
      const standing = await this.#standing(now);
      if (standing === 'ours') return 'committed';
      if (standing === 'other') return 'conflict';
      if (standing === 'unclear') return 'unknown';
      // A request that was made for a version that is gone has come too late for ever.
      const isSameVersion = now?.VersionId === existing?.VersionId;
      isDoubtful = isSameVersion && (isDoubtful || !isAnswered(fault));
      const mayRepeat = fault === null || isRepeatable(fault, existing === null);
      if (tries === glueCommitTriesMax || !mayRepeat) {
        return finalOutcome(failure, { isDoubtful, place, isNew: existing === null });
      }
      if (fault?.code === 'EntityNotFoundException') {
        await requests.ensureDatabase(place.database, place.databaseLocation);
      } else await clock.sleep(Math.min(250 * 2 ** (tries - 1), glueCommitWaitMsMax));
      existing = now;
    }
  }

  async #send(existing: Table | null): Promise<void> {
    const { requests, place, md, uri, baseUri, version } = this.#options;
    const shape = glueTableInput({
      table: place.table,
      md,
      metadataUri: uri,
      previousUri: baseUri,
      existing: existing as GlueTable | null,
      createdBy: version === undefined ? 'tidelake' : `tidelake/${version}`,
    });
    const input = shape as TableInput;
    if (existing === null) return requests.createTable(place.database, input);
    if (existing.VersionId !== undefined) {
      return requests.updateTable(place.database, input, existing.VersionId);
    }
    throw new TidelakeError({
      code: 'SERVICE_FAILED',
      what: `Glue says no version of ${place.database}.${place.table}`,
      meaning: 'without it two commits could both win; nothing was committed',
      next: 'use a Glue endpoint that has optimistic locking',
    });
  }

  async #read(): Promise<Table | null | 'unreadable'> {
    const { requests, place } = this.#options;
    try {
      return await requests.table(place.database, place.table);
    } catch {
      // What went wrong with the commit may well go wrong with the question too.
      return 'unreadable';
    }
  }

  async #standing(now: Table | null): Promise<Standing> {
    const { uri, baseUri } = this.#options;
    // A table that was there and is gone may have taken our commit with it, or live on under another name.
    if (now === null) return baseUri === null ? 'base' : 'unclear';
    const current = now.Parameters?.metadata_location;
    if (current === undefined) return 'unclear';
    if (isSame(current, uri)) return 'ours';
    if (baseUri !== null && isSame(current, baseUri)) return 'base';
    try {
      return await this.#inHistory(current);
    } catch {
      return 'unclear';
    }
  }

  /** Looks for our metadata file among the predecessors of the current one. A log is cut at some length; then it goes on
   *  from its oldest file. */
  async #inHistory(current: string): Promise<Standing> {
    const { store, uri, baseUri } = this.#options;
    let at = current;
    for (let steps = 0; steps < metadataChainMax; steps++) {
      const { 'metadata-log': log } = parseTableMetadata(await store.read(at));
      const files = log.map((entry) => entry['metadata-file']);
      if (files.some((file) => isSame(file, uri))) return 'ours';
      // What follows the base is all there: ours would be in it.
      if (baseUri !== null && files.some((file) => isSame(file, baseUri))) return 'other';
      const oldest = files[0];
      // The table's beginning. Without our base in it, it is another table of this name.
      if (oldest === undefined) return baseUri === null ? 'other' : 'unclear';
      at = oldest;
    }
    return 'unclear';
  }
}

/** Nothing was committed, as far as the table says. Throws what AWS said when it cannot be later either. */
function finalOutcome(
  failure: unknown,
  at: {
    readonly isDoubtful: boolean;
    readonly isNew: boolean;
    readonly place: { readonly database: string; readonly table: string };
  },
): CommitOutcome {
  if (at.isDoubtful) return 'unknown';
  // Others change the table again and again without moving its pointer.
  if (faultOf(failure)?.code === 'ConcurrentModificationException') return 'conflict';
  throw awsError(failure, {
    action: at.isNew ? 'glue:CreateTable' : 'glue:UpdateTable',
    resource: `${at.place.database}.${at.place.table}`,
  });
}

/** Whether Glue itself said no: then the request is over. Anything else may have been applied, or may be yet. */
function isAnswered(fault: AwsFault | null): boolean {
  return (
    fault !== null && fault.status >= 400 && fault.status < 500 && !doubtfulCodes.has(fault.code)
  );
}

/** Whether the same request may go better: no answer, too many requests, a version that moved under the same pointer, or
 *  a database that is to be made. */
function isRepeatable(fault: AwsFault, isNew: boolean): boolean {
  if (!isAnswered(fault) || isThrottling(fault)) return true;
  if (fault.code === 'EntityNotFoundException') return isNew;
  return fault.code === 'ConcurrentModificationException';
}

function isSame(one: string, other: string): boolean {
  return normalUri(one) === normalUri(other);
}
