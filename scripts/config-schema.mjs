// Writes schemas/tidelake.config.schema.json, the configuration's rules for editors, from the zod schema. Node built-ins only.
// Promises: the same rules give the same bytes; needs the build. Source: schemas/config-json-schema.ts.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from '../dist/schemas/config-json-schema.js';

const path = fileURLToPath(new URL('../schemas/tidelake.config.schema.json', import.meta.url));
writeFileSync(path, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
