// Progress for a person at a terminal: one bar per running step, with rate and time left.
// Promises to leave no half-drawn line behind: `clear` takes the bars away before anything else is printed.
// Spec: the port Reporter; ECMA-48 (cursor up, erase below).

import type { Clock, Reporter, ReporterStep } from '../ports.js';
import { cutText, plainText } from './plain-text.js';
import type { Progress } from './progress.js';
import { beginProgress, finishedText, runningText, shareDone } from './progress.js';
import type { TextSink } from './sink.js';

/** Time between two drawings, in milliseconds. */
const drawEveryMs = 100;
const barWidth = 20;
const columnsDefault = 80;

export class BarReporter implements Reporter {
  readonly #sink: TextSink;
  readonly #clock: Clock;
  readonly #running = new Set<Progress>();
  #linesDrawn = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(sink: TextSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  step(name: string, total: number | null, unit: string): ReporterStep {
    const progress = beginProgress(plainText(name), total, unit, this.#clock);
    this.#running.add(progress);
    this.#draw();
    return {
      advance: (count) => {
        progress.count += count;
        this.#draw();
      },
      done: () => {
        if (!this.#running.delete(progress)) return;
        this.#print(`✓ ${progress.name}: ${finishedText(progress, this.#clock.nowMs())}`);
      },
    };
  }

  note(text: string): void {
    this.#print(plainText(text));
  }

  warn(text: string): void {
    this.#print(`warning: ${plainText(text)}`);
  }

  /** Takes the bars off the screen; the next progress draws them again. */
  clear(): void {
    if (this.#linesDrawn === 0) return;
    this.#sink.write(`\u001b[${this.#linesDrawn}A\u001b[0J`);
    this.#linesDrawn = 0;
    this.#drawnMs = Number.NEGATIVE_INFINITY;
  }

  #print(line: string): void {
    this.clear();
    this.#sink.write(`${line}\n`);
    this.#draw();
  }

  #draw(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#drawnMs < drawEveryMs) return;
    this.clear();
    this.#drawnMs = nowMs;
    // A line that wraps would take two rows, and the cursor would come back to the wrong place.
    const widthMax = (this.#sink.columns ?? columnsDefault) - 1;
    const lines = [...this.#running].map((progress) => cutText(barLine(progress, nowMs), widthMax));
    if (lines.length === 0) return;
    this.#sink.write(`${lines.join('\n')}\n`);
    this.#linesDrawn = lines.length;
  }
}

function barLine(progress: Progress, nowMs: number): string {
  const share = shareDone(progress);
  const full = share === null ? 0 : Math.round(share * barWidth);
  const bar =
    share === null ? '·'.repeat(barWidth) : '█'.repeat(full) + '░'.repeat(barWidth - full);
  return `${bar} ${progress.name}: ${runningText(progress, nowMs)}`;
}
