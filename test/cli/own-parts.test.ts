import { expect, it } from 'vitest';
import { ownParts } from '../../pipeline/cli/own-parts.js';
import * as index from '../../pipeline/index.js';

it('the parts that commands load one by one are functions of the public API', () => {
  for (const name of Object.keys(ownParts))
    expect(index).toHaveProperty(name, expect.any(Function));
});
