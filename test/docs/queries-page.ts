// The list of saved queries as docs/reference/queries.md has it, from the files.

import { DiskStore } from '../../pipeline/local/disk-store.js';
import { readSavedQueries, type SavedQuery } from '../../pipeline/query/saved-queries.js';
import { folderUri } from '../queries/loaded-stories.js';

const parts = [
  ['saved', 'Queries'],
  ['views', 'Views'],
  ['checks', 'Checks'],
] as const;

/** The page's part from its first table on. */
export async function queriesPage(): Promise<string> {
  const sections: string[] = [];
  for (const [folder, title] of parts) {
    const queries = await readSavedQueries(new DiskStore(), folderUri(folder));
    const topics = [...new Set(queries.map((query) => query.topic))];
    for (const topic of topics) {
      const about = topic === 'lake' ? 'any lake table' : `\`${topic}\``;
      sections.push(
        `## ${title} about ${about}`,
        '',
        ...table(queries.filter((one) => one.topic === topic)),
        '',
      );
    }
  }
  return sections.join('\n');
}

function table(queries: readonly SavedQuery[]): readonly string[] {
  return [
    '| name | question | parameters | cost |',
    '|---|---|---|---|',
    ...queries.map((query) => {
      const params = query.params
        .filter((param) => !/^(table|partition_key|sort_key)$/.test(param.name))
        .map(({ name, type, defaultText }) =>
          `\`${name} ${type}${defaultText === null ? '' : ` = ${defaultText}`}\``.replace(
            / = `$/,
            " = ''`",
          ),
        );
      return `| \`${query.name}\` | ${query.question} | ${params.join(', ')} | ${query.cost} |`;
    }),
  ];
}
