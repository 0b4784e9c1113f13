// Which catalog a lake's tables are in: files below the lake's folder, or AWS Glue.
// Promises: nothing is read; a catalog that this world does not have is refused before any work.

import { TidelakeError } from '../../schemas/errors.js';
import type { Catalog, World } from '../ports.js';
import type { Target } from '../reports.js';
import { FilesCatalog } from './files-catalog.js';

/** The catalog of a target. Throws USAGE for Glue in a world without it. */
export async function openCatalog(
  world: Pick<World, 'store' | 'glueCatalog'>,
  target: Pick<Target, 'lake' | 'catalog'>,
): Promise<Catalog> {
  if (target.catalog !== 'glue') return new FilesCatalog(world.store, target.lake);
  if (world.glueCatalog !== null) return world.glueCatalog(target.lake);
  throw new TidelakeError({
    code: 'USAGE',
    what: 'there is no AWS Glue here to keep the tables in',
    meaning: 'nothing was read or written',
    next: 'use --catalog files',
  });
}
