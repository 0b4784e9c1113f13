// Writes infra/template.json anew: `npm run template`, after a change of the stack or of the saved queries.
// Promises: the same sources give the same bytes. The script formats what this writes.
// Source: infra/plain-template.ts.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { plainTemplate } from './plain-template.js';

const folder = process.argv[2];
if (folder === undefined) throw new Error('name the folder of the package');
writeFileSync(
  path.join(folder, 'infra', 'template.json'),
  JSON.stringify(plainTemplate(path.join(folder, 'queries', 'saved'))),
);
