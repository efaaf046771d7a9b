/** MCP servers with a connection of their own: found in every agent's files, pointed at the proxy or not started. */
import fc from 'fast-check';
import t from 'tap';
import type { Configuration } from '../../../src/run/agents/agent.js';
import { agentOf } from '../../../src/run/agents/agents.js';
import { commandForRun, type McpServer, settleServer } from '../../../src/run/agents/mcp-servers.js';

const address = {
  ...{ host: '127.0.0.1', port: 40_001, user: 'app', password: 'loopback-word', database: 'shop' },
  ...{ further: [], socketDir: '/run/dbg-x', libpqHost: '/run/dbg-x' },
};
const place = { address, servers: [{ host: 'db.example.com', port: 5432 }] };
const server = (command: readonly string[], env: Readonly<Record<string, string>> = {}): McpServer => ({
  ...{ name: 'pg', file: '/shop/.mcp.json', command, env },
});
const through = 'postgresql://app:loopback-word@127.0.0.1:40001/shop?sslmode=disable';

t.test('as they are written in the field', (t) => {
  const real = 'postgresql://app:SECRET@db.example.com/shop';
  const cases: readonly (readonly [McpServer, 'pointed' | 'refused' | 'none', RegExp])[] = [
    [server(['npx', '-y', '@modelcontextprotocol/server-postgres', real]), 'pointed', /40001/],
    [server(['postgres-mcp', '--access-mode=unrestricted'], { DATABASE_URI: real }), 'pointed', /40001/],
    [server(['x', `--database-url=${real}?sslmode=require`]), 'pointed', /40001/],
    [server(['x'], { URL: real.replace('postgresql', 'postgresql+asyncpg') }), 'pointed', /asyncpg:.*40001\/shop"/],
    [server(['sh', '-c', `exec server "${real}" --verbose`]), 'pointed', /verbose/],
    [
      server(['x'], { PGHOST: 'db.example.com', PGUSER: 'app', PGPASSWORD: 'SECRET', PGDATABASE: 'shop' }),
      'pointed',
      /40001|loopback/,
    ],
    [
      server(['x'], { POSTGRES_HOST: 'db.example.com', POSTGRES_PASSWORD: 'SECRET', DB_NAME: 'shop' }),
      'pointed',
      /loopback/,
    ],
    [server(['npx', 'server', 'postgres://u:SECRET@prod.example.com/shop']), 'refused', /prod.example.com/],
    [server(['npx', 'server', 'postgres://u:SECRET@db.example.com/other']), 'refused', /the database other/],
    [server(['npx', 'server', 'postgres://u:SECRET@db.example.com/shop?host=evil']), 'refused', /parameters/],
    [server(['x', 'host=db.example.com user=app password=SECRET']), 'refused', /rewrite/],
    [server(['x', 'jdbc:postgresql://db.example.com/shop?password=SECRET']), 'refused', /./],
    [server(['x'], { PGSERVICE: 'shop' }), 'refused', /service file/],
    [server(['x'], { PGPASSWORD: 'SECRET' }), 'refused', /localhost/],
    [{ ...server(['npx', 'server', real]), unapproved: true }, 'refused', /not been told/],
    [{ ...server(['npx', 'server', real]), plugin: 'pg@market' }, 'refused', /plugin/],
    [
      server(['npx', 'server', `\${DATABASE_URL}`], { PGPASSWORD: `\${PGPASSWORD}`, PGHOST: '{env:PGHOST}' }),
      'none',
      /./,
    ],
    [server(['npx', 'filesystem', '/srv/postgres'], { DB_PATH: '/x' }), 'none', /./],
  ];
  for (const [one, outcome, sign] of cases) {
    const settled = settleServer(one, place);
    const text = JSON.stringify(settled ?? 'none');
    t.equal(settled?.outcome ?? 'none', outcome, text);
    t.match(text, sign);
    if (!settled) continue;
    const started = JSON.stringify([commandForRun(settled), settled.outcome === 'pointed' ? settled.env : {}]);
    t.notMatch(started, 'SECRET', 'nothing of its own login is started');
  }
  t.end();
});

t.test('whatever the connection, nothing but the proxy is left of it', (t) => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const host = fc.oneof(fc.constant('db.example.com'), fc.constant('localhost'), fc.domain());
  const scheme = fc.constantFrom('postgres', 'postgresql', 'postgresql+psycopg', 'POSTGRESQL');
  const tail = fc.constantFrom('', '?sslmode=require', '?application_name=x');
  fc.assert(
    fc.property(
      scheme,
      name,
      host,
      fc.option(fc.nat(65_535)),
      name,
      tail,
      fc.constantFrom('', '--url=', "'"),
      (kind, user, where, port, db, query, before) => {
        const text = `${before}${kind}://${user}:SECRET@${where}${port === null ? '' : `:${port}`}/${db}${query}`;
        for (const one of [server(['x', text]), server(['x'], { ANY: text })]) {
          const settled = settleServer(one, place);
          t.ok(settled, text);
          if (!settled) continue;
          const started = JSON.stringify([commandForRun(settled), settled.outcome === 'pointed' ? settled.env : {}]);
          t.notMatch(started, 'SECRET');
          if (settled.outcome === 'pointed') t.match(started, '127.0.0.1:40001/shop');
          else t.match(commandForRun(settled)[0], '/bin/sh');
        }
      },
    ),
    { numRuns: 100 },
  );
  t.end();
});

t.test('where each agent keeps them', (t) => {
  const json = (key: string, value: unknown): string => JSON.stringify({ [key]: value });
  const one = { pg: { command: 'x', args: ['postgres://a'], env: { A: '1' } } };
  const files: Record<string, string> = {
    '/home/ada/.claude.json': JSON.stringify({
      mcpServers: { user: { command: 'x' } },
      projects: { '/shop': { mcpServers: { local: { command: 'x' } }, enabledMcpjsonServers: ['pg'] } },
    }),
    '/shop/.mcp.json': json('mcpServers', {
      ...one,
      other: { command: 'y' },
      remote: { url: 'https://mcp.example.com' },
    }),
    '/home/ada/.claude/plugins/installed_plugins.json': json('plugins', { 'db@m': [{ installPath: '/plugins/db' }] }),
    '/plugins/db/.mcp.json': json('mcpServers', { inner: { command: 'z' } }),
    '/home/ada/.codex/config.toml':
      'model = "x" # a comment\n[mcp_servers.pg]\ncommand = "npx"\nargs = ["a", \'b\',\n]\n[mcp_servers.pg.env]\nA = "1"\n',
    '/shop/.codex/config.toml':
      '[mcp_servers]\n"pg two" = { command = "y", args = ["c"] }\n[limits]\nmost = 9223372036854775807\n',
    '/home/ada/.gemini/settings.json': json('mcpServers', one),
    '/home/ada/.gemini/extensions/db/gemini-extension.json': json('mcpServers', { ext: { command: 'x' } }),
    '/home/ada/.config/opencode/opencode.jsonc': `// mine\n{"mcp": {"pg": {"type": "local", "command": ["x", "y"], "environment": {"A": "1"}},}}`,
    '/shop/opencode.json': json('mcp', { two: { type: 'local', command: ['x'] } }),
    '/home/ada/.cursor/mcp.json': json('mcpServers', one),
    '/shop/.cursor/mcp.json': json('mcpServers', { two: { command: 'x' } }),
  };
  const find = (program: string, folder: string): readonly McpServer[] => {
    const configuration: Configuration = {
      ...{ folder, home: '/home/ada', cwd: '/shop', env: {}, read: (path) => files[path] },
      list: (path) => (path.endsWith('extensions') ? ['db'] : []),
    };
    return agentOf([program])?.agent.servers?.(configuration) ?? [];
  };
  const names = (all: readonly McpServer[]): string[] => all.map(({ name }) => name).sort();
  const claude = find('claude', '/home/ada/.claude');
  t.strictSame([...new Set(names(claude))], ['inner', 'local', 'other', 'pg', 'user']);
  t.equal(claude.find(({ name }) => name === 'pg')?.unapproved, undefined);
  t.equal(claude.find(({ name }) => name === 'other')?.unapproved, true, 'nobody has approved it');
  t.equal(claude.find(({ name }) => name === 'inner')?.plugin, 'db@m');
  const codex = find('codex', '/home/ada/.codex');
  t.match(codex, [
    { name: 'pg', command: ['npx', 'a', 'b'], env: { A: '1' } },
    { name: 'pg two', command: ['y', 'c'] },
  ]);
  t.strictSame(names(find('gemini', '/home/ada/.gemini')), ['ext', 'pg']);
  t.strictSame(names(find('opencode', '/home/ada/.config/opencode')), ['pg', 'two']);
  t.strictSame(names(find('cursor-agent', '/home/ada/.cursor')), ['pg', 'two']);
  t.end();
});

t.test('each agent is told of it in its own words', (t) => {
  const refused = {
    ...server(['x', 'postgres://u:SECRET@prod.example.com/x']),
    outcome: 'refused',
    why: 'it isn’t $(here)',
  } as const;
  const pointed = { ...server(['npx', 'server', through], { A: 'b"c' }), name: 'to go', outcome: 'pointed' } as const;
  for (const program of ['claude', 'codex', 'gemini', 'opencode', 'cursor-agent']) {
    const agent = agentOf([program])?.agent;
    const told = agent?.forRun({
      ...{
        args: ['go on'],
        env: {},
        instructions: '',
        unasked: [],
        folder: '/f',
        daemon: false,
        servers: [refused, pointed],
        guardedNetwork: false,
      },
      read: () => undefined,
    });
    const text = JSON.stringify(told);
    t.notMatch(text, 'SECRET', program);
    t.match(text, /dbguard: the MCP server pg is not started/, program);
    t.match(text, '127.0.0.1:40001', program);
    t.equal(told?.args.at(-1), 'go on');
    t.notMatch(text, '$(here)', 'it is no shell’s');
  }
  t.end();
});
