// Which engines can run here, as test/engines/setup.mjs found out.
// Promises: the suite of an engine that is missing is skipped under its name and the reason, and fails when
// TIDELAKE_ENGINES_REQUIRED=1; it never passes silently.

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';

export type EngineName = 'trino-406' | 'trino-483' | 'spark' | 'pyiceberg' | 'moto';

/** What set-up says of an engine. */
export interface EnginePlace {
  readonly ready: boolean;
  readonly reason?: string;
  /** Home of the JDK it runs on. */
  readonly java?: string;
  readonly classpath?: string;
  readonly jars?: string;
  readonly python?: string;
}

const home = resolve(
  process.env.TIDELAKE_ENGINES_DIR ?? join(homedir(), '.cache', 'tidelake', 'engines'),
);

export function enginePlace(name: EngineName): EnginePlace {
  const file = join(home, 'engines.json');
  if (!existsSync(file)) return { ready: false, reason: 'run npm run test:engines, which sets up' };
  const places = JSON.parse(readFileSync(file, 'utf8')) as Record<string, EnginePlace>;
  return places[name] ?? { ready: false, reason: 'set-up does not know it' };
}

/** The suite of one engine, run only where the engine is. */
export function describeEngine(name: EngineName, suite: (place: EnginePlace) => void): void {
  const place = enginePlace(name);
  if (place.ready) {
    describe(name, () => suite(place));
    return;
  }
  const title = `${name} is missing here: ${place.reason}`;
  if (process.env.TIDELAKE_ENGINES_REQUIRED !== '1') {
    describe.skip(title, () => {
      it('was not run', () => undefined);
    });
    return;
  }
  describe(name, () => {
    it('is there', () => {
      throw new Error(title);
    });
  });
}
