import type { Agent } from './agent.js';

/** opencode keeps to the XDG folders. */
export const opencode: Agent = {
  programs: ['opencode', 'opencode-ai'],
  folders: ['.config/opencode', '.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
};
