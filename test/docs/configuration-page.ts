// The tables of docs/reference/configuration.md, from the published JSON Schema.

import { configJsonSchema, type JsonSchemaPart } from '../../schemas/config-json-schema.js';

/** The keys of an object, one row each. */
function table(part: JsonSchemaPart, without: readonly string[] = []): string {
  const rows = Object.entries(part.properties ?? {})
    .filter(([key]) => !without.includes(key))
    .map(
      ([key, one]) =>
        `| \`${key}\` | ${valuesOf(one)} | ${defaultOf(one)} | ${(one.description ?? '').replaceAll('|', '\\|')} |`,
    );
  return ['| key | values | default | |', '|---|---|---|---|', ...rows].join('\n');
}

function valuesOf(part: JsonSchemaPart): string {
  if (part.enum !== undefined) {
    return part.enum
      .map((one) => (typeof one === 'string' ? `\`${one}\`` : String(one)))
      .join(', ');
  }
  if (part.type === 'integer') {
    const most = part.maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${part.maximum}`;
    return `whole number from ${part.minimum}${most}`;
  }
  if (part.type === 'number') return `a number from ${part.minimum}`;
  if (part.type === 'array') {
    return part.items?.type === 'object' ? 'list, see below' : 'list of texts';
  }
  if (part.type === 'object')
    return part.properties === undefined ? 'names and texts' : 'see below';
  if (part.type === 'boolean') return '`true`, `false`';
  return 'text';
}

function defaultOf(part: JsonSchemaPart): string {
  return part.default === undefined ? '' : `\`${String(part.default)}\``;
}

/** The page's part from its first table on. */
export function configurationTables(): string {
  const file = configJsonSchema();
  const { aws, exports, run, defaults, tables, prices } = file.properties!;
  const settings = Object.keys(defaults!.properties!);
  return [
    '## The file',
    table(file),
    '## `aws`',
    table(aws!),
    '## `exports`',
    'Of the file, of `defaults`, and of a table: the nearest one that says something holds, key by key.',
    table(exports!),
    '## `prices`',
    "In place of AWS's list, each for itself.",
    table(prices!),
    '## `run`',
    table(run!),
    '## Settings of tables',
    'In `defaults` for all, and in each entry of `tables` for its own.',
    table(defaults!),
    '## `upkeep`',
    'Of `defaults`, and of a table. See [upkeep](../how-to/upkeep.md).',
    table(defaults!.properties!.upkeep!),
    '## Entries of `tables`',
    'One of `name`, `prefix` and `tag`, and any of the settings above.',
    table(tables!.items!, settings),
  ].join('\n\n');
}

/** Keys that each object of the file has, as `defaults.view`. */
export function allKeys(part: JsonSchemaPart = configJsonSchema(), path = ''): readonly string[] {
  const own = Object.entries(part.properties ?? {});
  return [
    ...own.flatMap(([key, one]) => [`${path}${key}`, ...allKeys(one, `${path}${key}.`)]),
    ...(part.items === undefined ? [] : allKeys(part.items, path)),
  ];
}
