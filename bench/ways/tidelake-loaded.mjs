// The first merge of a process whose code is loaded, as DuckDB's is when the bare rewrite begins: nothing has run yet, and
// nothing is warm. The command loads what it needs when it needs it, so that its own figure holds the loading.
// Use: node tidelake-loaded.mjs OPTIONS.json, with {lake, second, threads}
import { readFileSync } from 'node:fs';
import { openUnzstd, openZstd } from '../../dist/pipeline/lake/parquet/zstd.js';
import '../../dist/pipeline/units/mark-unit.js';
import '../../dist/pipeline/units/scan-unit.js';
import '../../dist/pipeline/units/registry.js';
import { useKernel } from '../../dist/transforms/kernel/idle-kernel.js';
import { mergeOnce } from './merge-once.mjs';

await openZstd();
await openUnzstd();
useKernel((kernel) => kernel.mark());

const { lake, second, threads } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const cpuBefore = process.cpuUsage();
const report = await mergeOnce({ lake, exported: second, threads });
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ ...report, cpu: (user + system) / 1e6 }));
