import type { Agent } from './agent.js';

/** OpenAI Codex. */
export const codex: Agent = {
  programs: ['codex'],
  folderVariable: 'CODEX_HOME',
  folders: ['.codex'],
  // a plain `codex` leaves an app server behind, and later ones hand their commands to it
  doors: ['app-server-control', 'app-server-daemon'],
  hosts: ['*.openai.com', 'chatgpt.com', '*.chatgpt.com'],
  urlVariables: ['OPENAI_BASE_URL', 'CODEX_OSS_BASE_URL'],
  forRun: ({ args, instructions, daemon }) => ({
    args: [
      // versions without a daemon do not know the option
      ...(daemon ? ['--no-daemon'] : []),
      ...(instructions === '' ? [] : set('developer_instructions', instructions)),
      ...args,
    ],
  }),
};

/** A JSON string without DEL is a TOML string (toml.io, "String"). */
function set(key: string, value: string): string[] {
  return ['-c', `${key}=${JSON.stringify(value)}`];
}
