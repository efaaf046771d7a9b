import type { Agent } from './agent.js';
import { jsonObject, merged } from './json-settings.js';

const variable = 'OPENCODE_CONFIG_CONTENT';

/** opencode keeps to the XDG folders. */
export const opencode: Agent = {
  programs: ['opencode', 'opencode-ai'],
  folders: ['.config/opencode', '.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
  hosts: [
    'opencode.ai',
    '*.opencode.ai',
    'models.dev',
    'api.anthropic.com',
    'api.openai.com',
    'generativelanguage.googleapis.com',
    'openrouter.ai',
  ],
  urlVariables: ['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL'],
  forRun: ({ args, env, instructions, folder }) => {
    const settings = merged(jsonObject(env[variable] ?? '') ?? {}, { instructions: [`${folder}/instructions.md`] });
    return {
      args,
      env: { [variable]: JSON.stringify(settings) },
      files: { 'instructions.md': instructions },
    };
  },
};
