// One folder, one table, one catalog: metadata of a table that another kind of catalog keeps is not written beside.
// Promises: where a catalog has no table of a name, and its folder holds metadata files as the other kind names them, it is
// refused by name; with two catalogs in one folder each would be a table of its own, and each would miss the other's windows.
// Source: names as in files-catalog.ts (`v3.metadata.json`) and in catalogs that keep a pointer (`00003-<uuid>.metadata.json`:
// apache/iceberg, BaseMetastoreTableOperations.newTableMetadataFilePath).

import { refuse } from '../../schemas/errors.js';

/** What the two kinds of catalogs call their metadata files. */
const forms: Readonly<Record<CatalogKind, RegExp>> = {
  files: /^v[1-9]\d{0,14}\.metadata\.json$/,
  glue: /^\d{5,15}-[0-9a-f-]{36}(?:\.gz)?\.metadata\.json(?:\.gz)?$/,
};

type CatalogKind = 'files' | 'glue';

/**
 * Refuses a folder whose metadata files are of the other kind of catalog. To be called when the catalog `own` has no such
 * table, with the names in the table's folder of metadata. Throws REFUSED_OTHER_CATALOG.
 */
export function refuseOtherCatalog(
  own: CatalogKind,
  at: { readonly database: string; readonly table: string; readonly location: string },
  names: readonly string[],
): void {
  const other = own === 'glue' ? 'files' : 'glue';
  if (!names.some((name) => forms[other].test(name))) return;
  throw refuse(
    'REFUSED_OTHER_CATALOG',
    other === 'files'
      ? `Glue has no ${at.database}.${at.table}, but ${at.location} holds it in the catalog of files`
      : `there is no ${at.database}.${at.table} in the catalog of files, but ${at.location} holds metadata of one that is registered elsewhere, as in Glue`,
    "two catalogs in one folder would be two tables that miss each other's windows; nothing was written",
    `go on with --catalog ${other}; or name another table with --table, or another place with --lake, and load a full export there`,
  );
}
