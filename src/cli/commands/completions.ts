/** `dbguard completions`: a completion script for a shell, made from the command table. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { didYouMean } from '../../policy/did-you-mean.js';
import type { CommandContext } from '../command.js';
import { completionFiles, completionsFor } from '../completion/shells.js';
import { type CompletionNode, completionTree } from '../completion/tree.js';
import { liveValues } from '../completion/values.js';
import { liveLists, shells } from '../completion-words.js';
import { oneOfOption, textOption } from '../options.js';
import { commandEntries, groupSummaries, type OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'completions'>,
): Promise<number> {
  const wanted = oneOfOption(options, 'values', liveLists);
  if (wanted !== undefined) {
    const words = await liveValues(wanted, context);
    context.stdout.write(words.map((word) => `${word}\n`).join(''));
    return 0;
  }
  const folder = textOption(options, 'all');
  const shell = shells.find((one) => one === args[0]);
  if (args[0] !== undefined && shell === undefined) {
    const guess = didYouMean(args[0], shells);
    throw new DbguardError('usage', `there are no completions for "${args[0]}", only for ${shells.join(', ')}`, {
      hint:
        guess === undefined
          ? 'Elsewhere: dbguard --help has every command.'
          : `Did you mean: dbguard completions ${guess}`,
    });
  }
  if ((folder === undefined) === (shell === undefined)) {
    throw new DbguardError('usage', `name a shell: ${shells.join(', ')}`, {
      hint: 'Or write the scripts of every shell with --all <folder>.',
    });
  }
  const tree = completionTree(commandEntries, groupSummaries);
  if (shell !== undefined) context.stdout.write(completionsFor(shell, tree));
  if (folder !== undefined) writeAll(resolve(context.cwd, folder), tree);
  return 0;
}

function writeAll(folder: string, tree: CompletionNode): void {
  mkdirSync(folder, { recursive: true });
  for (const one of shells) writeFileSync(join(folder, completionFiles[one]), completionsFor(one, tree));
}
