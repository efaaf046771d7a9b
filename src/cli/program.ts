/** The command line, from the table: commander's tree, and what it says of itself. */
import { Command } from 'commander';
import { chapterList, topicsAbout } from './chapters.js';
import type { CommandContext } from './command.js';
import { folded } from './print/text.js';
import { commandEntries, groupSummaries } from './table.js';
import { dbguardVersion } from './version.js';

/** What becomes of a command line that is one: the command's path, its operands, its options by commander's names. */
type Act = (path: string, operands: readonly string[], options: never) => Promise<void>;

/** The commander tree of the table. Throws CommanderError, having said why, for what is no command line. */
export function buildProgram(
  act: Act,
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'> = process,
): Command {
  const program = new Command('dbguard')
    .description('A signed, approved and masked path between an AI coding agent and PostgreSQL.')
    .version(dbguardVersion)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => helpWidth(stdout),
      getErrHelpWidth: () => helpWidth(stderr),
      outputError: (text, write) => write(folded(text.replace(/^error:/, 'dbguard:'), stderr)),
    })
    .configureHelp({ minWidthToWrap: 24 })
    .showHelpAfterError('  See dbguard --help.')
    .addHelpText('after', `\nChapters, for dbguard help TOPIC:\n${folded(chapterList(), stdout, 16)}`)
    .addHelpText('after', folded('Begin with: dbguard, which says how things stand and what to do now.', stdout));
  const groups = new Map<string, Command>();
  for (const entry of commandEntries) {
    const words = entry.path.split(' ');
    const leaf = words.at(-1) ?? entry.path;
    let parent = program;
    if (words.length === 2) {
      const name = words[0] ?? '';
      let group = groups.get(name);
      if (!group) {
        group = program.command(name).description(groupSummaries[name] ?? '');
        groups.set(name, group);
        addChapters(group, name);
      }
      parent = group;
    }
    const command = parent
      .command(entry.arguments ? `${leaf} ${entry.arguments}` : leaf)
      .description(entry.summary)
      .showHelpAfterError(`  See dbguard ${entry.path} --help.`);
    for (const option of entry.options ?? []) command.option(option.flags, option.description);
    if (entry.examples)
      command.addHelpText(
        'after',
        `\nExamples:\n${folded(entry.examples.map((line) => `  ${line}\n`).join(''), stdout, 6)}`,
      );
    if (entry.passThrough) command.passThroughOptions();
    command.action(() => act(entry.path, command.args, command.opts() as never));
    addChapters(command, entry.path);
  }
  return program;
}

/** Where nobody says how wide it is, as wide as a terminal mostly is. */
function helpWidth({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true && columns !== undefined ? columns : 80;
}

/** Help shown for a command that is not there would end with 0: such a line is parsed without the wish for help. */
export function unknownCommand(args: readonly string[]): string[] | undefined {
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

/** Where more stands about it. */
function addChapters(command: Command, path: string): void {
  const topics = topicsAbout(path);
  if (topics.length > 0)
    command.addHelpText('after', `\nMore: ${topics.map((one) => `dbguard help ${one}`).join(', ')}`);
}
