import { Command, CommanderError } from 'commander';
import { DbguardError } from '../errors.js';
import { leaveTerminalAlone } from '../io/terminal/left-alone.js';
import { chapterList, chapterText } from './chapters.js';
import type { CommandContext, CommandEntry } from './command.js';
import { modules } from './modules.js';
import { outputFailed } from './print/line-writer.js';
import { printOnlyText } from './print/printable-output.js';
import { folded } from './print/text.js';
import { type CommandPath, commandEntries, groupSummaries } from './table.js';
import { dbguardVersion } from './version.js';

/** Builds the commander tree from the table; `finish` receives each command's exit code. */
function buildProgram(
  table: readonly CommandEntry[],
  context: CommandContext,
  finish: (code: number) => void,
): Command {
  const program = new Command('dbguard')
    .description('A signed, approved and masked path between an AI coding agent and PostgreSQL.')
    .version(dbguardVersion)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'dbguard:')) })
    .showHelpAfterError('  See dbguard --help.')
    .addHelpText('after', `\nChapters, for dbguard help TOPIC:\n${chapterList()}`)
    .addHelpText('after', 'Begin with: dbguard init, dbguard login, dbguard run -- psql');
  const groups = new Map<string, Command>();
  for (const entry of table) {
    const words = entry.path.split(' ');
    const leaf = words.at(-1) ?? entry.path;
    let parent = program;
    if (words.length === 2) {
      const name = words[0] ?? '';
      let group = groups.get(name);
      if (!group) {
        group = program.command(name).description(groupSummaries[name] ?? '');
        groups.set(name, group);
      }
      parent = group;
    }
    const command = parent
      .command(entry.arguments ? `${leaf} ${entry.arguments}` : leaf)
      .description(entry.summary)
      .showHelpAfterError(`  See dbguard ${entry.path} --help.`);
    for (const option of entry.options ?? []) command.option(option.flags, option.description);
    if (entry.examples) command.addHelpText('after', `\nExamples:\n${entry.examples.map(indented).join('')}`);
    if (entry.passThrough) command.passThroughOptions();
    command.action(async () => {
      // commander has made the options of this very row
      const { run } = await modules[entry.path as CommandPath]();
      finish(await run(context, command.args, command.opts()));
    });
  }
  return program;
}

/** Help shown for a command that is not there would end with 0: such a line is parsed without the wish for help. */
function unknownCommand(args: readonly string[]): string[] | undefined {
  const operands = args.filter((word) => !word.startsWith('-'));
  const words = operands[0] === 'help' ? operands.slice(1) : operands;
  const paths = commandEntries.map(({ path }) => path.split(' '));
  const group = paths.filter(([first]) => first === words[0]);
  if (words[0] === undefined) return undefined;
  if (group.length === 0) return words;
  const second = words[1];
  if (second === undefined || group.some((path) => path.length === 1 || path[1] === second)) return undefined;
  return words;
}

function indented(line: string): string {
  return `  ${line}\n`;
}

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
  const chapter = args[0] === 'help' && args.length === 2 ? chapterText(args[1] ?? '') : undefined;
  if (chapter === undefined) {
    await buildProgram(commandEntries, context, (code) => {
      process.exitCode = code;
    }).parseAsync(unknownCommand(args) ?? args, { from: 'user' });
  } else {
    process.stdout.write(chapter);
  }
} catch (error) {
  process.exitCode = report(error);
}
