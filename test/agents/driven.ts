/** Agents as a test drives them: how each is started for a scripted model, in its print mode and in its TUI, and what its screen shows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claudeCode, claudeEnvironment, skipOnboarding } from './claude-code.js';
import type { Published } from './published.js';

/** One run of it. */
export interface Place {
  /** Of the scripted model. */
  readonly url: string;
  readonly bin: string;
  readonly home: string;
  readonly project: string;
}

export interface DrivenAgent extends Published {
  /** Its settings at home and in the project are written; what every start of it needs. */
  start(place: Place): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** The arguments of a start that does one task and ends. */
  print(args: readonly string[], task: string): readonly string[];
  /** On the screen of its TUI when it takes a task. */
  readonly ready: string;
}

const codex: DrivenAgent = {
  name: '@openai/codex',
  version: '0.169.0',
  program: 'codex',
  start: ({ url, home }) => {
    const folder = join(home, '.codex');
    mkdirSync(folder, { recursive: true });
    const provider = `{name="scripted",base_url="${url}/v1",wire_api="responses",env_key="OPENAI_API_KEY"}`;
    const settings = ['model="scripted"', 'model_provider="scripted"', `model_providers.scripted=${provider}`];
    return {
      args: ['--dangerously-bypass-approvals-and-sandbox', ...settings.flatMap((setting) => ['-c', setting])],
      env: { CODEX_HOME: folder, OPENAI_API_KEY: 'dummy' },
    };
  },
  print: (args, task) => ['exec', '--skip-git-repo-check', ...args, task],
  ready: 'Ask Codex to do anything',
};

const gemini: DrivenAgent = {
  name: '@google/gemini-cli',
  version: '0.61.0',
  program: 'gemini',
  start: ({ url, home }) => {
    mkdirSync(join(home, '.gemini'), { recursive: true });
    const settings = { security: { auth: { selectedType: 'gemini-api-key' } } };
    writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify(settings));
    return {
      args: ['--yolo', '--skip-trust', '-m', 'gemini-2.5-flash'],
      env: { GEMINI_API_KEY: 'dummy', GOOGLE_GEMINI_BASE_URL: url },
    };
  },
  print: (args, task) => [...args, '-p', task],
  ready: 'Type your message',
};

const opencode: DrivenAgent = {
  name: 'opencode-ai',
  version: '1.18.33',
  program: 'opencode',
  script: 'postinstall.mjs',
  start: ({ url, project }) => {
    const model = { name: 'scripted', tool_call: true, limit: { context: 100_000, output: 4000 } };
    const provider = { options: { baseURL: `${url}/v1`, apiKey: 'dummy' }, models: { scripted: model } };
    const settings = { share: 'disabled', permission: { bash: 'allow' }, model: 'anthropic/scripted' };
    writeFileSync(join(project, 'opencode.json'), JSON.stringify({ ...settings, provider: { anthropic: provider } }));
    return { args: [], env: {} };
  },
  print: (args, task) => ['run', ...args, task],
  ready: 'ctrl+p commands',
};

const claude: DrivenAgent = {
  ...claudeCode,
  start: ({ url, bin, home, project }) => {
    skipOnboarding(home, project);
    return { args: ['--dangerously-skip-permissions'], env: claudeEnvironment(url, bin) };
  },
  print: (args, task) => [...args, '-p', task],
  ready: 'bypass permissions on',
};

export const drivenAgents: readonly DrivenAgent[] = [claude, codex, gemini, opencode];
