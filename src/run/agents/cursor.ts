import type { Agent } from './agent.js';

/** Cursor's agent. It has no settings for one run: what it should know comes with `dbguard instructions`. */
export const cursor: Agent = {
  programs: ['cursor-agent'],
  folderVariable: 'CURSOR_CONFIG_DIR',
  folders: ['.cursor', '.config/cursor', '.local/share/cursor-agent'],
  hosts: ['cursor.com', '*.cursor.com', '*.cursor.sh'],
  forRun: ({ args }) => ({ args }),
};
