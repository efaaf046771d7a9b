import type { Agent } from './agent.js';

/** aider: its files lie in the project, its settings in one file of the home folder. */
export const aider: Agent = {
  programs: ['aider', 'aider-chat'],
  folders: ['.aider'],
  files: ['.aider.conf.yml'],
  forRun: ({ args, instructions, folder }) => ({
    args: ['--read', `${folder}/instructions.md`, ...args],
    files: { 'instructions.md': instructions },
  }),
};
