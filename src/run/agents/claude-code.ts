import type { Agent } from './agent.js';
import { type JsonObject, jsonObject, merged } from './json-settings.js';
import { type Taken, takeOption } from './options.js';

/** Claude Code; its `.claude.json` lies in the folder where CLAUDE_CONFIG_DIR names one. */
export const claudeCode: Agent = {
  programs: ['claude', 'claude-code'],
  folderVariable: 'CLAUDE_CONFIG_DIR',
  folders: ['.claude'],
  files: ['.claude.json'],
  // lock files with the port and the token of an editor, which runs code when it is told to
  doors: ['ide'],
  hosts: ['*.anthropic.com', 'claude.ai', '*.claude.ai', '*.claude.com', 'http-intake.logs.us5.datadoghq.com'],
  urlVariables: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_BEDROCK_BASE_URL', 'ANTHROPIC_VERTEX_BASE_URL'],
  forRun: ({ args, instructions, read }) => {
    const prompt = takeOption(args, '--append-system-prompt');
    const settings = takeOption(prompt.rest, '--settings');
    // of an option given twice only the last one counts there
    const told = [...prompt.values.slice(-1), instructions].filter((text) => text !== '').join('\n\n');
    const composed = merged(ownSettings(settings, read), {});
    return {
      args: [
        ...(told === '' ? [] : ['--append-system-prompt', told]),
        ...(Object.keys(composed).length === 0 ? [] : ['--settings', JSON.stringify(composed)]),
        ...settings.rest,
      ],
    };
  },
};

/** A file or the JSON itself; what is neither is left for the agent to complain about. */
function ownSettings({ values }: Taken, read: (path: string) => string | undefined): JsonObject {
  const given = values.at(-1);
  if (given === undefined) return {};
  return jsonObject(given) ?? jsonObject(read(given) ?? '') ?? {};
}
