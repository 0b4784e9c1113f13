// A reporter that says nothing, for libraries and tests.
// Promises no output and no cost.
// Spec: the port Reporter.

import type { Reporter, ReporterStep } from '../ports.js';

const silentStep: ReporterStep = { advance: () => {}, done: () => {} };

export class NullReporter implements Reporter {
  step(_name: string, _total: number | null, _unit: string): ReporterStep {
    return silentStep;
  }
  note(_text: string): void {}
  warn(_text: string): void {}
}
