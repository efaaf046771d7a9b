import type { Agent } from './agent.js';

/** OpenAI Codex. */
export const codex: Agent = {
  programs: ['codex'],
  folderVariable: 'CODEX_HOME',
  folders: ['.codex'],
  // a plain `codex` leaves an app server behind, and later ones hand their commands to it
  doors: ['app-server-control', 'app-server-daemon'],
};
