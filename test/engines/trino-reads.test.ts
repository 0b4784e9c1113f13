import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningEndpoint, startMoto } from './harness/endpoint.js';
import { describeEngine } from './harness/engines.js';
import { Trino } from './harness/trino.js';
import { single } from './harness/values.js';

for (const name of ['trino-406', 'trino-483'] as const) {
  describeEngine(name, () => {
    let endpoint: RunningEndpoint;
    let trino: Trino;
    beforeAll(async () => {
      endpoint = await startMoto();
      trino = await Trino.start(name, endpoint);
    });
    afterAll(async () => {
      await trino?.close();
      await endpoint?.close();
    });
    it('answers', async () => {
      expect(single(await trino.query('select 9007199254740993'))).toBe('9007199254740993');
      expect(
        (
          await trino.query(
            "select * from (values (decimal '1.10', x'00ff', timestamp '2026-01-01 00:00:00.123456', array[cast(row(1,'a') as row(n bigint, s varchar))], map(array['__proto__'], array[1])))",
          )
        ).rows,
      ).toMatchInlineSnapshot(`
        [
          Map {
            "_col0" => "1.10",
            "_col1" => "AP8=",
            "_col2" => "2026-01-01T00:00:00.123456",
            "_col3" => [
              Map {
                "n" => "1",
                "s" => "a",
              },
            ],
            "_col4" => Map {
              "__proto__" => "1",
            },
          },
        ]
      `);
    });
  });
}
