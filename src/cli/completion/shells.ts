/** The shells that there are completions for, and where each looks for a script. */
import { bashCompletions } from './bash.js';
import { fishCompletions } from './fish.js';
import type { CompletionNode } from './tree.js';
import { zshCompletions } from './zsh.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const generators = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions };
/** As each shell looks for them. */
export const completionFiles = { bash: 'dbguard.bash', zsh: '_dbguard', fish: 'dbguard.fish' } as const;

export function completionsFor(shell: Shell, tree: CompletionNode): string {
  return generators[shell](tree);
}
