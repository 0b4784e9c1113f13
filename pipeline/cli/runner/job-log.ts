// The log of the scheduled job: one JSON object a line, as CloudWatch Logs Insights reads it.
// Promises: fields are names, codes, counts and times; never content of items. Powertools is loaded when a log is opened.
// Source: Powertools for AWS Lambda (TypeScript), "Logger".

import type { Reporter, ReporterStep } from '../../ports.js';
import { plainText } from '../../reporting/plain-text.js';

export type LogFields = Readonly<Record<string, unknown>>;

export interface JobLog {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Who called: what Lambda tells of an invocation and of the function. */
export interface Invocation {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  /** Milliseconds until Lambda ends the run. */
  getRemainingTimeInMillis(): number;
}

/** Opens the log on stdout. `service` is the lake's name. */
export async function openJobLog(service: string, invocation: Invocation): Promise<JobLog> {
  const { Logger } = await import('@aws-lambda-powertools/logger');
  const logger = new Logger({ serviceName: service });
  logger.appendKeys({
    request_id: invocation.awsRequestId,
    function_name: invocation.functionName,
    function_version: invocation.functionVersion,
  });
  return {
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  };
}

/** Notes and warnings of the work into the log. Steps are for people who wait, and are left out. */
export class LogReporter implements Reporter {
  readonly #log: JobLog;
  constructor(log: JobLog) {
    this.#log = log;
  }
  step(): ReporterStep {
    return { advance: () => {}, done: () => {} };
  }
  note(text: string): void {
    this.#log.info(plainText(text));
  }
  warn(text: string): void {
    this.#log.warn(plainText(text));
  }
}
