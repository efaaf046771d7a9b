import type { Agent } from './agent.js';
import { jsonObject, merged } from './json-settings.js';

const variable = 'GEMINI_CLI_SYSTEM_SETTINGS_PATH';
const usual = '/etc/gemini-cli/settings.json';

/** Gemini CLI. Its system settings stand over all others: a copy with ours takes their place. */
export const gemini: Agent = {
  programs: ['gemini', 'gemini-cli'],
  folders: ['.gemini'],
  hosts: [
    'generativelanguage.googleapis.com',
    'cloudcode-pa.googleapis.com',
    'oauth2.googleapis.com',
    'accounts.google.com',
    'www.googleapis.com',
    'play.googleapis.com',
    'aiplatform.googleapis.com',
    '*.aiplatform.googleapis.com',
  ],
  urlVariables: ['GOOGLE_GEMINI_BASE_URL', 'GOOGLE_VERTEX_BASE_URL'],
  forRun: ({ args, env, instructions, folder, read }) => {
    const system = jsonObject(read(env[variable] ?? usual) ?? '') ?? {};
    const settings = merged(system, {
      context: { includeDirectories: [folder], loadMemoryFromIncludeDirectories: true },
    });
    return {
      args,
      env: { [variable]: `${folder}/settings.json` },
      files: { 'settings.json': JSON.stringify(settings), 'GEMINI.md': instructions },
    };
  },
};
