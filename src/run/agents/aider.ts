import type { Agent } from './agent.js';

/** aider: its files lie in the project, its settings in one file of the home folder. */
export const aider: Agent = {
  programs: ['aider', 'aider-chat'],
  folders: ['.aider'],
  files: ['.aider.conf.yml'],
  hosts: [
    'api.anthropic.com',
    'api.openai.com',
    'generativelanguage.googleapis.com',
    'openrouter.ai',
    'api.deepseek.com',
  ],
  urlVariables: ['OPENAI_API_BASE', 'OPENAI_BASE_URL', 'ANTHROPIC_BASE_URL', 'OLLAMA_API_BASE'],
  forRun: ({ args, instructions, folder }) => ({
    args: ['--read', `${folder}/instructions.md`, ...args],
    files: { 'instructions.md': instructions },
  }),
};
