// One run of a command against a lake: the flags resolved, the world opened, and closed again whatever happens.
// Promises that scratch space is freed on success, on errors and on Ctrl-C, and that results never mix with progress.
// Spec: DESIGN "The command".

import { z } from 'zod';
import { awsShape, type TidelakeConfig } from '../../schemas/config.js';
import { nameSchema } from '../../schemas/config-values.js';
import type { AwsOptions } from '../aws/clients.js';
import type { World } from '../ports.js';
import { BarReporter } from '../reporting/bar-reporter.js';
import { jsonLine } from '../reporting/json-lines.js';
import { JsonReporter } from '../reporting/json-reporter.js';
import { LineReporter } from '../reporting/line-reporter.js';
import type { Target } from '../reports.js';
import type { TidelakeApi } from './api.js';
import { awsOptions } from './aws-options.js';
import { checkInput, wholeNumber } from './check-input.js';
import type { CliContext } from './context.js';
import { usageError } from './error-text.js';
import { findConfig } from './find-config.js';
import type { GlobalFlags } from './flags.js';
import { placeUri } from './places.js';

/** Threads used when nobody says how many: more do not pay before the disk is the limit. */
const threadsDefaultMax = 8;
const threadsMax = 64;

/** What a command works with. */
export interface Session {
  readonly context: CliContext;
  readonly world: World;
  readonly target: Target;
  /** How AWS is reached, when it is. */
  readonly aws: AwsOptions;
  /** The configuration of the working directory; empty when there is none. */
  readonly config: TidelakeConfig;
  readonly json: boolean;
  /** Loads the public API. */
  readonly api: () => Promise<TidelakeApi>;
  /** An absolute URI for a place named on the command line. */
  readonly place: (place: string) => string;
  /** Prints a result: the report itself with --json, else its text, line by line. */
  readonly print: (report: unknown, lines: readonly string[]) => Promise<void>;
  /** Prints on stdout as it stands. */
  readonly write: (text: string) => Promise<void>;
  /** Prints on stderr, above the progress. */
  readonly tell: (text: string) => void;
}

export interface SessionOptions {
  /** Name of the command, for messages. */
  readonly command: string;
  /** Lake used when --lake is not given, instead of the configured one. */
  readonly lakeDefault?: string;
}

const globalSchema = z.object({
  lake: z.string().optional(),
  database: nameSchema.optional(),
  table: nameSchema.optional(),
  threads: wholeNumber(1, threadsMax).optional(),
  catalog: z.enum(['files', 'glue']).optional(),
  ...awsShape,
});

/**
 * Runs `work` in a session and makes the number it returns the exit code.
 * @throws TidelakeError USAGE for wrong flags or configuration, and whatever `work` throws
 */
export async function inSession(
  context: CliContext,
  flags: GlobalFlags,
  options: SessionOptions,
  work: (session: Session) => Promise<number>,
): Promise<void> {
  const { command } = options;
  const checked = checkInput(globalSchema, flags, command);
  const config = await findConfig(context);
  const target = resolveTarget(context, checked, config, options);
  const threads = checked.threads ?? Math.max(1, Math.min(context.processors, threadsDefaultMax));
  const { reporter, clear } = makeReporter(context, flags);
  const aws = awsOptions(checked, config.aws);
  const world = await context.createWorld({ threads, reporter, aws });
  const close = async (): Promise<void> => {
    await world.units.close();
    await world.scratch.close();
  };
  const forget = context.onInterrupt(close);
  const write = async (text: string): Promise<void> => {
    clear();
    context.out.write(text);
    await context.out.ready();
  };
  let exitCode: number;
  try {
    exitCode = await work({
      context,
      world,
      target,
      aws,
      config,
      json: flags.json === true,
      api: context.loadApi,
      place: (place) => placeUri(place, context.folder, command),
      print: (report, lines) =>
        write(
          flags.json === true ? `${jsonLine(report)}\n` : lines.map((line) => `${line}\n`).join(''),
        ),
      write,
      tell: (text) => {
        clear();
        context.err.write(text);
      },
    });
  } catch (error) {
    clear();
    // The first error is the one worth telling: closing after it may well fail too.
    await close().catch(() => {});
    throw error;
  } finally {
    forget();
  }
  clear();
  await close();
  if (exitCode !== 0) context.process.exitCode = exitCode;
}

function resolveTarget(
  context: CliContext,
  flags: z.infer<typeof globalSchema>,
  config: TidelakeConfig,
  options: SessionOptions,
): Target {
  const place = flags.lake ?? options.lakeDefault ?? config.lake ?? './lake';
  const lake = placeUri(place, context.folder, options.command);
  const named = flags.database ?? config.database;
  const isOnS3 = lake.startsWith('s3:');
  // Athena finds tables by Glue's database: who names one on S3 means that.
  const usual = isOnS3 && named !== undefined ? 'glue' : 'files';
  // The configuration speaks of its own lake, which --lake may have replaced by a folder.
  const configured = config.catalog === 'glue' && !isOnS3 ? undefined : config.catalog;
  const catalog = flags.catalog ?? configured ?? usual;
  if (catalog === 'glue' && !isOnS3) {
    throw usageError('--catalog: AWS Glue keeps tables of lakes on S3 only', options.command);
  }
  return {
    lake,
    database: named ?? 'lake',
    ...(flags.table === undefined ? {} : { table: flags.table }),
    ...(catalog === 'glue' ? { catalog } : {}),
  };
}

interface ClearableReporter {
  readonly reporter: World['reporter'];
  /** Takes unfinished bars off the screen before something else is printed. */
  readonly clear: () => void;
}

function makeReporter(context: CliContext, flags: GlobalFlags): ClearableReporter {
  const { err, clock } = context;
  const clear = (): void => {};
  if (context.reporter !== undefined) return { reporter: context.reporter, clear };
  if (flags.logFormat === 'json') return { reporter: new JsonReporter(err, clock), clear };
  if (!err.isTerminal || context.process.env.TERM === 'dumb') {
    return { reporter: new LineReporter(err, clock), clear };
  }
  const bars = new BarReporter(err, clock);
  return { reporter: bars, clear: () => bars.clear() };
}
