/** Other agents as published, each in its print mode and in a fence with a network of its own: asked about, denied with a reason, and it reads the reason. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { clientProgram } from '../helpers/postgres.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import type { Workspace } from '../helpers/workspace.js';
import { startModelApi } from './model-api.js';
import { installPublished, type Published } from './published.js';

interface Agent extends Published {
  /** Its arguments, and what it finds at home and in its environment. */
  start(place: { readonly url: string; readonly home: string; readonly project: string }): {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
}

const codex: Agent = {
  name: '@openai/codex',
  version: '0.169.0',
  program: 'codex',
  start: ({ url, home }) => {
    const folder = join(home, '.codex');
    mkdirSync(folder, { recursive: true });
    const provider = `{name="scripted",base_url="${url}/v1",wire_api="responses",env_key="OPENAI_API_KEY"}`;
    const settings = ['model="scripted"', 'model_provider="scripted"', `model_providers.scripted=${provider}`];
    return {
      args: [
        ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'],
        ...settings.flatMap((setting) => ['-c', setting]),
        'Clean up the orders.',
      ],
      env: { CODEX_HOME: folder, OPENAI_API_KEY: 'dummy' },
    };
  },
};

const gemini: Agent = {
  name: '@google/gemini-cli',
  version: '0.61.0',
  program: 'gemini',
  start: ({ url, home }) => {
    mkdirSync(join(home, '.gemini'), { recursive: true });
    const settings = { security: { auth: { selectedType: 'gemini-api-key' } } };
    writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify(settings));
    return {
      args: ['--yolo', '--skip-trust', '-m', 'gemini-2.5-flash', '-p', 'Clean up the orders.'],
      env: { GEMINI_API_KEY: 'dummy', GOOGLE_GEMINI_BASE_URL: url },
    };
  },
};

const opencode: Agent = {
  name: 'opencode-ai',
  version: '1.18.33',
  program: 'opencode',
  script: 'postinstall.mjs',
  start: ({ url, project }) => {
    const model = { name: 'scripted', tool_call: true, limit: { context: 100_000, output: 4000 } };
    const provider = { options: { baseURL: `${url}/v1`, apiKey: 'dummy' }, models: { scripted: model } };
    const settings = { autoupdate: false, share: 'disabled', permission: { bash: 'allow' } };
    writeFileSync(join(project, 'opencode.json'), JSON.stringify({ ...settings, provider: { anthropic: provider } }));
    return { args: ['run', '-m', 'anthropic/scripted', 'Clean up the orders.'], env: {} };
  },
};

/** In a fence with a network of its own; the scripted model is a program of this machine. */
function guardNetwork(workspace: Workspace, config: Readonly<Record<string, unknown>>, model: string): void {
  if ('obstacle' in fence) return;
  workspace.configure({ ...config, sandbox: { use: 'required', network: 'guarded' } });
  const own = join(workspace.home, 'config');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  writeFileSync(join(own, 'dbguard.yaml'), `version: 1\nsandbox:\n  hosts: ["localhost:${new URL(model).port}"]\n`);
}

const fence = await findFenceProgram(process.env);
const psql = clientProgram('psql');
const asked = process.env.DBGUARD_TEST_AGENTS === 'all';
const notAsked = 'it is large (100 to 400 MB): DBGUARD_TEST_AGENTS=all installs and runs it';

for (const agent of [codex, gemini, opencode]) {
  const skip = !asked ? notAsked : !psql && 'psql is not installed';
  t.test(agent.program, { skip, timeout: 180_000 }, async (t) => {
    const bin = await installPublished(agent);
    if (!bin) {
      t.pass(agent.name, { skip: 'it cannot be installed here' });
      return;
    }
    const { workspace, postgres, config } = await developer(t);
    mkdirSync(join(workspace.project, '.git'));
    await postgres.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 5)');
    const model = await startModelApi((results) => {
      const last = results.at(-1) ?? '';
      if (results.length === 0) return { run: `${psql} -Atc 'SELECT count(*) FROM orders'; env` };
      if (results.length === 1) return { run: `${psql} -Atc 'DELETE FROM orders'` };
      if (results.length > 2) return { say: `FINISHED: ${last}` };
      return last.includes('only order 1')
        ? { run: `${psql} -Atc 'DELETE FROM orders WHERE id = 1'` }
        : { say: 'I do not know why that failed.' };
    });
    t.teardown(() => model.close());
    const { project } = workspace;
    guardNetwork(workspace, config, model.url);
    const { args, env } = agent.start({ url: model.url, home: workspace.env.HOME ?? '', project });
    const command = ['run', '--', join(bin, agent.program), ...args];
    const terminal = new Terminal(
      '/usr/bin/env',
      ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, ...command],
      {
        cwd: project,
        env: { ...workspace.env, ...env },
        columns: 110,
        rows: 32,
      },
    );
    t.teardown(() => terminal.kill());

    await terminal.shows('Delete ALL rows of orders');
    await terminal.hides('Keys count in a moment');
    await sleep(600);
    terminal.type('r');
    await terminal.shows('Why not?');
    terminal.type('only order 1 is obsolete');
    await sleep(300);
    terminal.type(keys.enter);
    t.match(await terminal.exit, { code: 0 });
    const [first = '', denied = '', deleted = ''] = model.results;
    t.match(first, /^(Output: )?5$/m, 'it reads');
    t.match(first, /PGPASSWORD=/);
    t.notMatch(first, postgres.password, 'the real password is nowhere in its environment');
    t.match(denied, /denied this statement: only order 1 is obsolete/, 'it has the person’s reason');
    t.match(deleted, 'DELETE 1');
    const session = sessionOf(terminal.history().join('\n'));
    const shown = await workspace.dbguard(['transcripts', 'show', session]);
    t.match(shown.stdout, /denied by a person at the terminal: only order 1 is obsolete/);
  });
}
