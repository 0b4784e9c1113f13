// Progress as JSON lines, for log collectors (`--log-format json`).
// Promises one object per line with every field present; a running step is told at most every five seconds.
// Spec: the port Reporter; RFC 8259.

import type { Clock, Reporter, ReporterStep } from '../ports.js';
import { jsonLine } from './json-lines.js';
import { lineEveryMs } from './line-reporter.js';
import { beginProgress, secondsSince } from './progress.js';
import type { TextSink } from './sink.js';

/** One line of the log. */
export interface ReporterEvent {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly event: 'begin' | 'progress' | 'end' | 'note' | 'warning';
  /** Name of the step; null for notes and warnings. */
  readonly step: string | null;
  readonly count: number | null;
  readonly total: number | null;
  readonly unit: string | null;
  /** Seconds since the step began. */
  readonly seconds: number | null;
  readonly text: string | null;
}

export class JsonReporter implements Reporter {
  readonly #sink: TextSink;
  readonly #clock: Clock;

  constructor(sink: TextSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  step(name: string, total: number | null, unit: string): ReporterStep {
    const progress = beginProgress(name, total, unit, this.#clock);
    let saidMs = progress.beginMs;
    let finished = false;
    const say = (event: 'begin' | 'progress' | 'end', nowMs: number): void => {
      saidMs = nowMs;
      const seconds = secondsSince(progress, nowMs);
      this.#say(
        { event, step: name, count: progress.count, total, unit, seconds, text: null },
        nowMs,
      );
    };
    say('begin', progress.beginMs);
    return {
      advance: (count) => {
        progress.count += count;
        const nowMs = this.#clock.nowMs();
        if (nowMs - saidMs >= lineEveryMs) say('progress', nowMs);
      },
      done: () => {
        if (finished) return;
        finished = true;
        say('end', this.#clock.nowMs());
      },
    };
  }

  note(text: string): void {
    this.#sentence('note', text);
  }

  warn(text: string): void {
    this.#sentence('warning', text);
  }

  #sentence(event: 'note' | 'warning', text: string): void {
    const none = { step: null, count: null, total: null, unit: null, seconds: null };
    this.#say({ event, ...none, text }, this.#clock.nowMs());
  }

  #say(event: Omit<ReporterEvent, 'at'>, nowMs: number): void {
    const line: ReporterEvent = { at: new Date(nowMs).toISOString(), ...event };
    this.#sink.write(`${jsonLine(line)}\n`);
  }
}
