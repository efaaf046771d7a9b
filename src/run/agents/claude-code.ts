import type { Agent } from './agent.js';

/** Claude Code; its `.claude.json` lies in the folder where CLAUDE_CONFIG_DIR names one. */
export const claudeCode: Agent = {
  programs: ['claude', 'claude-code'],
  folderVariable: 'CLAUDE_CONFIG_DIR',
  folders: ['.claude'],
  files: ['.claude.json'],
  // lock files with the port and the token of an editor, which runs code when it is told to
  doors: ['ide'],
};
