// A server as a child process: started, waited for, asked, ended.
// Promises: what it prints is kept in a file whose end is shown when it does not start; it ends with its parent,
// since every server here stops when its standard input ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest wait for a server to say that it is there, in milliseconds. */
const startMsMax = 180_000;

export interface ChildOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** True once the server takes requests, given all it has printed so far. */
  readonly isReady: (printed: string) => boolean | Promise<boolean>;
}

export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #ended: Promise<void>;

  private constructor(options: ChildOptions) {
    this.#name = options.name;
    this.#folder = mkdtempSync(join(tmpdir(), `tidelake-${options.name}-`));
    const log = openSync(this.#logFile, 'w');
    this.#process = spawn(options.program, options.args, {
      stdio: ['pipe', log, log],
      cwd: this.#folder,
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve());
      this.#process.once('exit', () => resolve());
    });
  }

  get #logFile(): string {
    return join(this.#folder, 'output.log');
  }

  /** What it printed so far. */
  get printed(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options);
    let isOver = false;
    void child.#ended.then(() => {
      isOver = true;
    });
    for (let waited = 0; waited < startMsMax && !isOver; waited += 100) {
      if (await options.isReady(child.printed)) return child;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const tail = child.printed
      .split('\n')
      .filter((line) => !line.includes('\tat '))
      .slice(-30);
    await child.stop();
    throw new Error(`${options.name} did not start; it printed at last:\n${tail.join('\n')}`);
  }

  /** Ends the server; when it does not end by itself, by force. */
  async stop(): Promise<void> {
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  toString(): string {
    return this.#name;
  }
}

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve((address as { readonly port: number }).port));
    });
  });
}
