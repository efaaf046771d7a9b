import { CommanderError } from 'commander';
import { DbguardError } from '../errors.js';
import { leaveTerminalAlone } from '../io/terminal/left-alone.js';
import type { CommandContext } from './command.js';
import { helpText } from './help-text.js';
import { modules } from './modules.js';
import { outputFailed } from './print/line-writer.js';
import { paged } from './print/paged.js';
import { printOnlyText } from './print/printable-output.js';
import { folded } from './print/text.js';
import { buildProgram, unknownCommand } from './program.js';
import type { CommandPath } from './table.js';

/** The one place where an outcome becomes an exit code and an error becomes text. */
function report(error: unknown): number {
  // commander has said it already
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
  if (error instanceof DbguardError) {
    process.stderr.write(`${folded(`dbguard: ${error.message}`, process.stderr)}\n`);
    if (error.hint) process.stderr.write(`${folded(`  ${error.hint}`, process.stderr)}\n`);
    return error.exitCode;
  }
  process.stderr.write(`dbguard: internal error: ${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env.DBGUARD_DEBUG && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  else process.stderr.write('  This is a bug in dbguard. Run again with DBGUARD_DEBUG=1 for details to report.\n');
  return 70;
}

/** EX_USAGE of sysexits.h, as for `usage` in errors.ts. */
const usageExitCode = 64;

/**
 * A reader who leaves, as `head` does, is no error: what is still written goes nowhere, and the command ends as it would
 * have, a session with its seal. Any other failure to write (a full disk) must not look like success.
 */
function watchOutput(): void {
  let failure: Error | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failure ??= error;
    });
  }
  process.once('exit', (code) => {
    if (failure !== undefined && code === 0) process.exitCode = report(outputFailed(failure));
    leaveTerminalAlone();
  });
}

for (const stream of [process.stdout, process.stderr]) printOnlyText(stream, process.env);
watchOutput();
process.on('uncaughtException', (error) => process.exit(report(error)));

const context: CommandContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
};
try {
  const given = process.argv.slice(2);
  const args = given.length === 0 ? ['status'] : given;
  const help = args[0] === 'help' ? helpText(args.slice(1), context) : undefined;
  if (help === undefined) {
    const program = buildProgram(async (path, operands, options) => {
      const { run } = await modules[path as CommandPath]();
      // commander has made the options of this very row
      process.exitCode = await run(context, operands, options);
    });
    await program.parseAsync(unknownCommand(args) ?? args, { from: 'user' });
  } else {
    await paged(context, async (out) => {
      await out.write(help.trimEnd());
      await out.flush();
      return 0;
    });
  }
} catch (error) {
  process.exitCode = report(error);
}
