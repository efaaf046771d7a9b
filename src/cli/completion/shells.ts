/** Each shell's generator, and where it looks for a script. */

import type { Shell } from '../completion-words.js';
import { bashCompletions } from './bash.js';
import { fishCompletions } from './fish.js';
import { powershellCompletions } from './powershell.js';
import type { CompletionNode } from './tree.js';
import { zshCompletions } from './zsh.js';

const generators = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
  powershell: powershellCompletions,
};
/** As each shell looks for them. */
export const completionFiles = {
  bash: 'dbguard.bash',
  zsh: '_dbguard',
  fish: 'dbguard.fish',
  powershell: 'dbguard.ps1',
} as const;

export function completionsFor(shell: Shell, tree: CompletionNode): string {
  return generators[shell](tree);
}
