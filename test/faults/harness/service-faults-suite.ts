// What services and networks do to loads, merges and queries: bodies cut and silent, storms, wrong ETags, objects that vanish,
// rights, credentials and connections that are taken away at any request.
// Promises: the same assertions for each catalog, in a test file of its own, since together they take longest of all.
// Source: the design, "Faults and races".

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedGlue } from '../../aws/simulated-glue.js';
import type { AwsCatalogKind } from './fault-lake.js';
import { rounds } from './rounds.js';
import {
  Acts,
  denials,
  expectCount,
  expectFailure,
  hearRequests,
  loseAtEachRequest,
  lost,
  under,
  wholeWay,
  withShortSilence,
  withWrongTags,
} from './service-faults.js';

/** Every fault of a service, met by lakes in one kind of catalog. */
export function serviceFaultsSuite(kind: AwsCatalogKind): void {
  let sim: SimulatedGlue;
  beforeAll(async () => {
    sim = await SimulatedGlue.start();
    await hearRequests(sim);
  });
  afterAll(() => sim.close());

  describe(`in the catalog of kind ${kind}`, () => {
    it('a data file cut after each number of bytes is read on', async () => {
      const acts = new Acts(sim, kind);
      const { lake, at } = await acts.hour();
      const window = await lake.tale.window(at, at + 1, { files: 1 });
      await lake.done('merge', window);
      let size = 0;
      for await (const file of lake.world.store.list(lake.exportsUri)) {
        if (/\/data\/[^/]*\.json\.gz$/.test(file.uri)) size = Math.max(size, file.size);
      }
      expect(size).toBeGreaterThan(100);
      const cuts = Array.from({ length: size + 1 }, (_, k) => k);
      const step = Math.ceil(cuts.length / rounds(cuts.length));
      for (let k = 0; k < cuts.length; k += step) {
        await acts.mergeUnder([
          { key: '*.json.gz', operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: k } },
        ]);
      }
      console.log('cuts', kind, Math.ceil(cuts.length / step));
    });

    it.each([0, 1, 2, 7, 50, 180, 400, 1000])(
      'every other body of everything cut after %i bytes, the whole way is gone',
      async (afterBytes) => {
        const plan = [
          { operation: 'GetObject', every: 2, do: { fault: 'cut', afterBytes } },
        ] as const;
        await wholeWay(await new Acts(sim, kind).fresh(), plan);
      },
    );

    it('bodies that fall silent are asked for again', async () => {
      const lake = await new Acts(sim, kind, { bodyIdleMs: 150 }).fresh();
      await wholeWay(lake, [
        { operation: 'GetObject', every: 4, do: { fault: 'stall', afterBytes: 5 } },
      ]);
    });

    it('a body that stays silent for ever ends the run, and nothing else', async () => {
      const acts = new Acts(sim, kind, { bodyIdleMs: 150 });
      const plan = [
        { key: '*.json.gz', operation: 'GetObject', do: { fault: 'stall', afterBytes: 0 } },
      ] as const;
      await acts.mergeAgainst(plan, { exitCode: 1, code: 'SERVICE_FAILED' });
    });

    it('a request that is never answered is given up and sent again', async () => {
      await withShortSilence(sim, async () => {
        await new Acts(sim, kind).mergeUnder([
          { service: 's3', operation: 'GetObject', nth: 3, do: { fault: 'hang' } },
          { service: 's3', operation: 'PutObject', nth: 2, do: { fault: 'hang', applied: true } },
          { service: 'glue', operation: 'GetTable', nth: 1, do: { fault: 'hang' } },
          {
            service: 'glue',
            operation: 'UpdateTable',
            nth: 1,
            do: { fault: 'hang', applied: true },
          },
        ]);
      });
    });

    it('a storm of requests to slow down passes, at less than twice the requests', async () => {
      const calm = await new Acts(sim, kind).fresh();
      sim.s3.simulator.clearRequests();
      await wholeWay(calm, []);
      const usual = sim.s3.simulator.requests().length;
      sim.s3.simulator.clearRequests();
      // Glue's commit is tried five times; of S3 there are rounds and rounds.
      await wholeWay(await new Acts(sim, kind).fresh(), {
        seed: 7,
        rules: [
          { service: 's3', to: 200, probability: 0.3, do: { fault: 'error', code: 'SlowDown' } },
          { service: 'glue', every: 3, do: { fault: 'error', code: 'ThrottlingException' } },
        ],
      });
      const inStorm = sim.s3.simulator.requests();
      expect(inStorm.filter(({ fault }) => fault !== null).length).toBeGreaterThan(20);
      expect(inStorm.length).toBeLessThan(2 * usual);
      console.log('storm', kind, `${inStorm.length} requests instead of ${usual}`);
    });

    it('nothing but requests to slow down for a while is waited out', async () => {
      await wholeWay(await new Acts(sim, kind).fresh(), [
        { service: 's3', to: 60, do: { fault: 'error', code: 'SlowDown' } },
        { service: 'glue', to: 2, do: { fault: 'error', code: 'ThrottlingException' } },
      ]);
    });

    it('ETags that are wrong on their way harm nobody, unless a body has to be read on', async () => {
      const acts = new Acts(sim, kind);
      await wholeWay(await acts.fresh(), [{ operation: 'GetObject', do: 'wrongEtag' }]);
      await withWrongTags(sim, async (on) => {
        const cut = { fault: 'cut', afterBytes: 20 } as const;
        on(true);
        const plan = [{ key: '*.json.gz', operation: 'GetObject', nth: 1, do: cut }] as const;
        const gone = { exitCode: 3, code: 'REFUSED_INPUT_GONE', names: /\.json\.gz was replaced/ };
        await acts.mergeAgainst(plan, gone, () => on(false));
      });
    });

    it('one wrong bit in a data file is refused', async () => {
      await new Acts(sim, kind).mergeAgainst(
        [{ key: '*.json.gz', operation: 'GetObject', do: { fault: 'corrupt', atByte: 40 } }],
        { exitCode: 3, code: 'REFUSED_CHECKSUM' },
      );
    });

    it('a data file that vanished is named', async () => {
      await new Acts(sim, kind).mergeAgainst(
        [{ key: '*.json.gz', do: { fault: 'error', code: 'NoSuchKey' } }],
        { exitCode: 3, code: 'REFUSED_INPUT_GONE', names: /\.json\.gz/ },
      );
    });

    it.each(['*.parquet', '*-m0.avro', '*/snap-*.avro'])(
      'a live file %s that vanished ends merge and query, and nothing else',
      async (key) => {
        const acts = new Acts(sim, kind);
        const plan = [
          {
            key,
            operation: ['GetObject', 'HeadObject'],
            do: { fault: 'error', code: 'NoSuchKey' },
          },
        ] as const;
        const expected = { exitCode: 3, code: 'REFUSED_INPUT_GONE', leaves: false };
        await acts.mergeAgainst(plan, expected);
        const { lake, at } = await acts.hour();
        const asked = await under(sim, plan, () => lake.run('query', 'SELECT count(n) FROM tale'));
        expectFailure(asked, expected);
        await expectCount(lake, at);
      },
    );

    it.each(denials(kind))(
      'without the right to $action on $place, $action is named',
      async (one) => {
        await new Acts(sim, kind).mergeAgainst(one.plan, {
          exitCode: 1,
          code: 'DENIED',
          names: new RegExp(`AWS denies ${one.action} on ${one.resource}`),
        });
      },
    );

    it('without the right to remove files, what came to nothing stays and is counted', async () => {
      const commit = denials(kind).find(({ place }) => place === 'the commit')!;
      const plan = [
        ...commit.plan,
        { operation: 'DeleteObject', do: { fault: 'error', code: 'AccessDenied' } },
      ] as const;
      const acts = new Acts(sim, kind);
      const names = new RegExp(`AWS denies ${commit.action} on`);
      await acts.mergeAgainst(plan, { exitCode: 1, code: 'DENIED', names, leaves: true });
      const { lake } = await acts.hour();
      expect((await lake.check()).orphans.length).toBeGreaterThan(2);
    });

    it.each(lost)(
      '%s lost for good at each request of a merge, the next run goes on',
      async (what) => {
        const step = Math.round(1 / Math.min(1, rounds(100) / 100));
        const runs = await loseAtEachRequest(new Acts(sim, kind), what, 1, step);
        expect(runs).toBeGreaterThan(15 / step);
        console.log('lost', kind, what, runs);
      },
    );
  });
}
