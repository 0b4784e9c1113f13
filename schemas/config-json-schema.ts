// The configuration's rules as JSON Schema, for editors: published as schemas/tidelake.config.schema.json.
// Promises: it is made of the zod schema alone, descriptions and defaults included, so the two cannot differ; what zod checks
// in code (which keys go together) is added where JSON Schema can say it.
// Spec: JSON Schema, draft 2020-12; zod documentation, "JSON Schema".

import { z } from 'zod';
import { configSchema } from './config.js';

/** A part of a JSON Schema, as far as we walk it. */
export interface JsonSchemaPart {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchemaPart>>;
  readonly items?: JsonSchemaPart;
  readonly anyOf?: readonly JsonSchemaPart[];
  readonly oneOf?: readonly JsonSchemaPart[];
  readonly additionalProperties?: boolean | JsonSchemaPart;
  readonly required?: readonly string[];
}

/** The whole schema, as plain JSON. */
export function configJsonSchema(): JsonSchemaPart {
  const made = z.toJSONSchema(configSchema, {
    target: 'draft-2020-12',
    io: 'input',
    override: ({ jsonSchema }) => {
      const { properties } = jsonSchema;
      if (properties?.lakeTable === undefined) return;
      jsonSchema.oneOf = [
        { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
        { type: 'object', properties: { prefix: { type: 'string' } }, required: ['prefix'] },
        { type: 'object', properties: { tag: { type: 'object' } }, required: ['tag'] },
      ];
    },
  });
  return made as JsonSchemaPart;
}

/** The part of the schema at a path of keys and positions; null: there is none. */
export function schemaAt(path: readonly PropertyKey[]): JsonSchemaPart | null {
  let part: JsonSchemaPart | undefined = configJsonSchema();
  for (const step of path) {
    part = typeof step === 'number' ? part?.items : part?.properties?.[String(step)];
  }
  return part ?? null;
}
