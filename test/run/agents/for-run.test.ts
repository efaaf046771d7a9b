/** What each agent is told for one run: the person's own arguments and settings stay, ours come beside them. */
import t from 'tap';
import type { RunForAgent } from '../../../src/run/agents/agent.js';
import { agentOf } from '../../../src/run/agents/agents.js';
import { jsonObject, merged } from '../../../src/run/agents/json-settings.js';

const run = (args: readonly string[], more: Partial<RunForAgent> = {}): RunForAgent => ({
  args,
  env: {},
  instructions: 'ASK FIRST',
  folder: '/run/dbg/agent',
  daemon: false,
  servers: [],
  guardedNetwork: false,
  unasked: [],
  read: () => undefined,
  ...more,
});

function told(program: string, given: RunForAgent) {
  const started = agentOf([program]);
  if (!started) throw new Error(program);
  return started.agent.forRun(given);
}

t.test('every agent keeps what the person says, in its order', (t) => {
  const args = ['exec', '--model', 'x', '-p', 'Clean up. --settings is a word', '--', '--settings', 'y'];
  for (const program of ['claude', 'codex', 'gemini', 'opencode', 'cursor-agent', 'aider']) {
    const { args: all, env = {}, files = {} } = told(program, run(args));
    t.strictSame(all.slice(-args.length), args, program);
    const said = JSON.stringify([all, env, files]);
    if (program !== 'cursor-agent') t.match(said, 'ASK FIRST', `${program} has the instructions`);
    const silent = told(program, run(args, { instructions: '' }));
    t.notMatch(JSON.stringify(silent), /undefined|developer_instructions|append-system-prompt/, program);
  }
  t.end();
});

t.test('Claude Code takes one of each option: both texts are in it', (t) => {
  const files: Record<string, string> = { 'mine.json': '{"model":"opus",}' };
  const read = (path: string): string | undefined => files[path];
  const { args } = told(
    'claude',
    run(['--append-system-prompt=Be brief.', '--settings', 'mine.json', '-p', 'x'], { read }),
  );
  t.strictSame(args, ['--append-system-prompt', 'Be brief.\n\nASK FIRST', '--settings', '{"model":"opus"}', '-p', 'x']);
  t.end();
});

t.test('what dbguard asks about is not asked about twice', (t) => {
  const read = (): string => '{"permissions":{"allow":["WebSearch"],"deny":["Read(.env)"]}}';
  const [, settings = ''] = told(
    'claude',
    run(['--settings', 'mine.json'], { read, instructions: '', unasked: ['psql'] }),
  ).args;
  const permissions = { allow: ['WebSearch', 'Bash(psql:*)'], deny: ['Read(.env)'] };
  t.strictSame(jsonObject(settings), { permissions }, 'beside what the person allows and denies');
  const { files = {} } = told('gemini', run([], { instructions: '', unasked: ['psql', 'pg_dump'] }));
  const allowed = ['run_shell_command(psql)', 'run_shell_command(pg_dump)'];
  t.strictSame(jsonObject(files['settings.json'] ?? ''), { tools: { allowed } });
  t.end();
});

t.test('Codex leaves a daemon of before alone', (t) => {
  t.notOk(told('codex', run(['exec', 'x'])).args.includes('--no-daemon'));
  t.equal(told('codex', run(['exec', 'x'], { daemon: true })).args[0], '--no-daemon');
  t.end();
});

t.test('settings that were there stay', (t) => {
  const system = '{ // of the company\n "mcp": { "excluded": ["x"] }, "context": { "includeDirectories": ["/docs"] } }';
  const { env = {}, files = {} } = told(
    'gemini',
    run([], { read: (path) => (path.startsWith('/etc') ? system : undefined) }),
  );
  t.strictSame(env, { GEMINI_CLI_SYSTEM_SETTINGS_PATH: '/run/dbg/agent/settings.json' });
  t.strictSame(jsonObject(files['settings.json'] ?? ''), {
    mcp: { excluded: ['x'] },
    context: { includeDirectories: ['/docs'] },
    hooks: {
      SessionStart: [
        { hooks: [{ name: 'dbguard', type: 'command', command: "cat '/run/dbg/agent/instructions.json'" }] },
      ],
    },
  });
  t.match(files['instructions.json'], 'ASK FIRST');
  const config = { OPENCODE_CONFIG_CONTENT: '{"model":"a/b","instructions":["mine.md"]}' };
  const opencode = told('opencode', run([], { env: config })).env?.OPENCODE_CONFIG_CONTENT ?? '';
  t.strictSame(jsonObject(opencode), { model: 'a/b', instructions: ['mine.md', '/run/dbg/agent/instructions.md'] });
  t.end();
});

t.test('JSON as agents read it', (t) => {
  t.strictSame(jsonObject('{"a": "// no /* comment */", /* one */ "b": [1, 2,], // end\n}'), {
    a: '// no /* comment */',
    b: [1, 2],
  });
  t.equal(jsonObject('[1]'), undefined);
  t.equal(jsonObject('{'), undefined);
  t.strictSame(merged({ a: { b: 1, c: [1] }, d: 1 }, { a: { c: [2] }, d: {} }), { a: { b: 1, c: [1, 2] }, d: {} });
  t.end();
});

t.test('where its own arguments begin', (t) => {
  t.equal(agentOf(['npx', '-y', '@openai/codex@latest', 'exec'])?.before, 3);
  t.equal(agentOf(['/usr/bin/claude', '-p'])?.before, 1);
  t.end();
});

t.test('hooks are added to the person’s own, for this run, where somebody listens', (t) => {
  const hook = "'/opt/db guard/bin/dbguard' hook";
  const own = '{"hooks":{"PreToolUse":[{"matcher":"Edit","hooks":[{"type":"command","command":"mine"}]}]}}';
  const claude = told('claude', run(['--settings', own], { hook }));
  const { hooks } = JSON.parse(claude.args[claude.args.indexOf('--settings') + 1] ?? '');
  t.strictSame(
    hooks.PreToolUse.map((one: { hooks: { command: string }[] }) => one.hooks[0]?.command),
    ['mine', `${hook} claude-code`],
  );
  t.match(Object.keys(hooks), ['PreToolUse', 'UserPromptSubmit', 'PostToolUse', 'PostToolUseFailure']);
  const gemini = told('gemini', run([], { hook }));
  t.match(JSON.parse(gemini.files?.['settings.json'] ?? '').hooks.BeforeTool[0].hooks[0].command, `${hook} gemini`);
  const opencode = told('opencode', run([], { hook }));
  t.match(JSON.parse(opencode.env?.OPENCODE_CONFIG_CONTENT ?? '').plugin, [/^file:\/\/.*\/hooks\.js$/]);
  t.match(opencode.files?.['hooks.js'], /tool\.execute\.before/);
  for (const program of ['claude', 'gemini', 'opencode'])
    t.notMatch(JSON.stringify(told(program, run([], { instructions: '' }))), /hook/i, `${program}: nobody listens`);
  t.end();
});
