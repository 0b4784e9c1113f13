// Runs one command line and gives its exit code.
// Promises that every error, whoever raised it, is printed in the one form and has its one exit code.
// Spec: DESIGN "The command".

import type { ApplicationText } from '@stricli/core';
import { buildApplication, ExitCode, run, text_en } from '@stricli/core';
import type { CliContext } from './context.js';
import { errorFacts, errorText, exitCodeOfThrown, usageError } from './error-text.js';
import { packageVersion } from './package-root.js';
import { routes } from './routes.js';

/** Runs the command line `args` (without node and the script) and returns the exit code. */
export async function runTidelake(args: readonly string[], context: CliContext): Promise<number> {
  const application = buildApplication(routes, {
    name: 'tidelake',
    versionInfo: { getCurrentVersion: async () => packageVersion() },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true, onlyRequiredInUsageLine: true },
    localization: { text: ourText(args, context) },
    determineExitCode: exitCodeOfThrown,
  });
  await run(application, args, context);
  const code = Number(context.process.exitCode ?? 0);
  // The library's own codes are negative.
  if (code === ExitCode.InvalidArgument || code === ExitCode.UnknownCommand) return 2;
  return code < 0 ? 1 : code;
}

/** The library's texts, with ours for all errors. It ends each with a line break of its own. */
function ourText(args: readonly string[], context: CliContext): ApplicationText {
  const print = (thrown: unknown): string => {
    const text = errorText(errorFacts(thrown)).trimEnd();
    const isDebug = context.process.env.TIDELAKE_DEBUG === '1';
    return isDebug && thrown instanceof Error ? `${text}\n${stackOf(thrown)}` : text;
  };
  const command = commandOf(args);
  const wrongUse = (what: string): string => print(usageError(what, command));
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) => {
      const instead = corrections.length === 0 ? '' : `; did you mean ${corrections.join(' or ')}?`;
      return print(usageError(`there is no command ${input}${instead}`, ''));
    },
    exceptionWhileParsingArguments: (thrown) =>
      wrongUse(thrown instanceof Error ? thrown.message : 'the arguments cannot be read'),
    exceptionWhileLoadingCommandFunction: print,
    exceptionWhileLoadingCommandContext: print,
    exceptionWhileRunningCommand: print,
    commandErrorResult: print,
  };
}

/** The words of a command line that name its command. */
function commandOf(args: readonly string[]): string {
  const words = args.slice(0, 2).join(' ');
  return /^(schema set|simulator serve|queries (list|show|push))$/.test(words)
    ? words
    : (args[0] ?? '');
}

function stackOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
