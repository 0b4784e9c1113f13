// Progress for logs: cron, containers, CI.
// Promises at most one line per step every five seconds, and one when the step ends; notes and warnings at once.
// Spec: the port Reporter.

import type { Clock, Reporter, ReporterStep } from '../ports.js';
import { plainText } from './plain-text.js';
import { beginProgress, finishedText, runningText } from './progress.js';
import type { TextSink } from './sink.js';

/** Time between two lines of one step, in milliseconds. */
export const lineEveryMs = 5000;

export class LineReporter implements Reporter {
  readonly #sink: TextSink;
  readonly #clock: Clock;

  constructor(sink: TextSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  step(name: string, total: number | null, unit: string): ReporterStep {
    const progress = beginProgress(plainText(name), total, unit, this.#clock);
    let saidMs = progress.beginMs;
    let finished = false;
    return {
      advance: (count) => {
        progress.count += count;
        const nowMs = this.#clock.nowMs();
        if (nowMs - saidMs < lineEveryMs) return;
        saidMs = nowMs;
        this.#line(`${progress.name}: ${runningText(progress, nowMs)}`);
      },
      done: () => {
        if (finished) return;
        finished = true;
        this.#line(`${progress.name}: ${finishedText(progress, this.#clock.nowMs())}`);
      },
    };
  }

  note(text: string): void {
    this.#line(plainText(text));
  }

  warn(text: string): void {
    this.#line(`warning: ${plainText(text)}`);
  }

  #line(text: string): void {
    this.#sink.write(`${text}\n`);
  }
}
