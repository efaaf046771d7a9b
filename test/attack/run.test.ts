/** What an agent can do with what `dbguard run` gives it, and what others on the machine can: each test is an attempt. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import pg from 'pg';
import t from 'tap';
import { stringify } from 'yaml';
import { developer, script } from '../e2e/developer.js';

const { run, workspace, postgres, config } = await developer(t);
/** What must be nowhere. */
const secrets = [
  postgres.password,
  encodeURIComponent(postgres.password),
  Buffer.from(postgres.password).toString('base64'),
];
const realPort = `:${postgres.port}`;

// the real password comes from a command: any file or variable that has it would be the agent's to read
const vault = join(workspace.home, '../vault');
writeFileSync(vault, `${postgres.password}\n`, { mode: 0o600 });
const connection = {
  url: `postgresql://postgres@127.0.0.1:${postgres.port}/postgres`,
  environment: 'development',
  password_command: ['cat', vault],
};
workspace.configure({});
mkdirSync(join(workspace.home, 'config'), { recursive: true, mode: 0o700 });
writeFileSync(
  join(workspace.home, 'config/dbguard.yaml'),
  stringify({ version: 1, ...config, connections: { main: connection } }),
  { mode: 0o600 },
);

/** A node script without a database client. */
const program = (body: string): string[] => [process.execPath, '-e', `const fs = require('fs');\n${body}`];

t.test('nothing that the child holds has the real login in it', async (t) => {
  const body = `
    const read = (path) => { try { return fs.readFileSync(path, 'latin1'); } catch (error) { return error.code; } };
    const link = (path) => { try { return fs.readlinkSync(path); } catch (error) { return error.code; } };
    const parent = process.ppid;
    console.log(JSON.stringify({
      environ: read('/proc/self/environ'),
      cmdline: read('/proc/self/cmdline'),
      descriptors: fs.readdirSync('/proc/self/fd').map((fd) => [fd, link('/proc/self/fd/' + fd)]),
      parentCmdline: read('/proc/' + parent + '/cmdline'),
      parentEnviron: read('/proc/' + parent + '/environ'),
      passfile: read(process.env.PGPASSFILE),
      services: read(process.env.PGSERVICEFILE),
      sysconf: read(process.env.PGSYSCONFDIR),
      socketFolder: fs.readdirSync(require('path').dirname(process.env.PGPASSFILE)),
    }));`;
  const services = join(workspace.home, '../services.conf');
  writeFileSync(services, `[real]\nhost=127.0.0.1\nport=${postgres.port}\n`);
  const env = {
    DATABASE_URL: postgres.url(),
    TEST_DB: postgres.url('test').replace('postgresql', 'postgres'),
    JDBC_URL: `jdbc:postgresql://127.0.0.1:${postgres.port}/postgres?user=postgres&password=${postgres.password}`,
    DSN: `host=127.0.0.1 port=${postgres.port} user=postgres password=${postgres.password}`,
    PGPASSWORD_OLD: postgres.password,
    POSTGRES_PASSWORD: postgres.password,
    SECRETS: JSON.stringify({ db: { password: postgres.password } }),
    ENCODED: Buffer.from(postgres.password).toString('base64'),
    PGSERVICEFILE: services,
    PGPASSFILE: '/home/dev/.pgpass',
    PGSSLKEY: '/home/dev/.postgresql/postgresql.key',
    PGHOSTADDR: '127.0.0.1',
  };
  const { stdout, stderr, exitCode } = await run(program(body), { env });
  t.equal(exitCode, 0, stderr);
  const seen = JSON.parse(String(stdout));
  const { parentEnviron: _given, ...held } = seen;
  for (const secret of [...secrets, realPort, `port=${postgres.port}`])
    t.notOk(JSON.stringify(held).includes(secret), secret);
  const names = String(seen.environ)
    .split('\0')
    .map((pair) => pair.split('=')[0]);
  for (const name of ['PGSSLKEY', 'PGHOSTADDR', 'POSTGRES_PASSWORD', 'SECRETS', 'ENCODED', 'DSN']) {
    t.notOk(names.includes(name), name);
  }
  t.match(seen, { passfile: 'ENOENT', services: 'ENOENT', sysconf: 'ENOENT' });
  t.equal(
    seen.descriptors.filter(([fd, to]: string[]) => Number(fd) > 2 && to?.startsWith('socket:')).length,
    0,
    'no inherited connection',
  );
  t.notMatch(stderr, postgres.password);
});

t.test('a password that dbguard fetches itself is not in the environment of its process either', async (t) => {
  const { stdout } = await run(program(`console.log(fs.readFileSync('/proc/' + process.ppid + '/environ', 'latin1'))`));
  t.match(stdout, 'DBGUARD_HOME', 'it can be read');
  for (const secret of secrets) t.notMatch(stdout, secret);
});

t.test('no file that dbguard writes has the real password or the loopback password in it', async (t) => {
  const body = `
    await attempt('select 1');
    const { execFileSync } = require('child_process');
    const own = process.env.PGPASSWORD;
    const { dirname } = require('path');
    const folders = [process.env.PWD + '/..', dirname(process.env.PGPASSFILE)];
    const find = (text) => {
      try { return execFileSync('grep', ['-rlaF', '-e', text, ...folders], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\\n'); }
      catch { return []; }
    };
    return { real: find(${JSON.stringify(postgres.password)}), own: find(own) };`;
  const { stdout, stderr } = await run(script(body), { env: { PWD: workspace.project } });
  t.match(stdout, '{', stderr);
  const found = JSON.parse(String(stdout));
  t.strictSame(
    found.real.map((path: string) => path.slice(path.lastIndexOf('/') + 1)),
    ['vault'],
    'where this test put it, and nowhere else',
  );
  t.strictSame(found.own, []);
});

t.test('the loopback door: a wrong password, a wrong user, none, on the port and on the socket', async (t) => {
  const body = `
    const { dirname } = require('path');
    const knock = async (options) => {
      const other = new Client({ ...options, connectionTimeoutMillis: 5000 });
      other.on('error', () => {});
      try { await other.connect(); await other.end(); return 'in'; } catch (error) { return error.code + ' ' + error.message; }
    };
    const { PGHOST: host, PGUSER: user, PGPASSWORD: password } = process.env;
    const port = Number(process.env.PGPORT);
    const results = {};
    for (const [way, at] of [['tcp', host], ['socket', dirname(process.env.PGPASSFILE)]]) {
      results[way] = {
        right: await knock({ host: at, port, user, password }),
        wrong: await knock({ host: at, port, user, password: password.slice(0, -1) }),
        real: await knock({ host: at, port, user, password: ${JSON.stringify(postgres.password)} }),
        other: await knock({ host: at, port, user: 'somebody', password }),
      };
    }
    return results;`;
  const { stdout, stderr } = await run(script(body));
  const results = JSON.parse(String(stdout || stderr));
  for (const way of ['tcp', 'socket']) {
    t.equal(results[way].right, 'in', way);
    for (const attempt of ['wrong', 'real'])
      t.equal(results[way][attempt], '28P01 password authentication failed for user "postgres"', `${way} ${attempt}`);
    t.equal(results[way].other, '28P01 password authentication failed for user "somebody"', `${way} other`);
  }
});

t.test(
  'another user of this machine',
  { skip: process.getuid?.() !== 0 && 'only root can become another user' },
  async (t) => {
    const child = waiting();
    t.teardown(() => child.kill('SIGKILL'));
    const { port, socket, pid } = await child.place;
    const stranger = { uid: 65533, gid: 65533, reject: false, cwd: '/' } as const;
    const knock = `
      require('net').connect(${JSON.stringify(socket)})
        .on('connect', () => { console.log('in'); process.exit(); })
        .on('error', (error) => console.log(error.code));`;
    const { stdout } = await execa(process.execPath, ['-e', knock], { ...stranger, env: { NODE_OPTIONS: '' } });
    t.equal(stdout, 'EACCES', 'the folder of the socket is closed');
    for (const file of ['environ', 'mem', 'maps']) {
      const { exitCode } = await execa('head', ['-c1', `/proc/${pid}/${file}`], stranger);
      t.not(exitCode, 0, file);
    }
    const guess = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: postgres.password });
    await t.rejects(guess.connect(), { code: '28P01' }, 'the port wants the password of this run');
    child.kill('SIGTERM');
    await child.ended;
  },
);

t.test('dbguard killed: the child has no way to the database left', async (t) => {
  const body = `
    const { dirname } = require('path');
    const gone = new Promise((resolve) => client.on('end', resolve));
    console.log('connected');
    await gone;
    const { PGHOST: host, PGUSER: user, PGPASSWORD: password, PGPORT: port } = process.env;
    const results = [];
    for (const at of [host, dirname(process.env.PGPASSFILE)]) {
      const again = new Client({ host: at, port: Number(port), user, password });
      again.on('error', () => {});
      results.push(await again.connect().then(() => 'in', ({ code }) => code));
    }
    const fs = require('fs');
    fs.writeFileSync(process.env.REPORT + '.new', JSON.stringify(results));
    fs.renameSync(process.env.REPORT + '.new', process.env.REPORT);
    process.exit();`;
  const report = join(workspace.home, '../report');
  const child = run(script(body), { env: { REPORT: report } });
  t.equal((await child.iterable()[Symbol.asyncIterator]().next()).value, 'connected');
  const clients = "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  t.not((await postgres.query(clients)).length, 0);
  child.kill('SIGKILL');
  await child;
  while (!existsSync(report)) await sleep(20);
  const [port, socket] = JSON.parse(readFileSync(report, 'utf8'));
  t.not(port, 'in'); // another program may have taken the port over meanwhile
  t.equal(socket, 'ECONNREFUSED');
  while ((await postgres.query(clients)).length > 0) await sleep(20);
  t.pass('and the server has nobody left');
});

/** A run whose child says where its doors are, and waits. */
function waiting() {
  const body = `
    const { PGPORT, PGPASSFILE } = process.env;
    const socket = require('path').dirname(PGPASSFILE) + '/.s.PGSQL.' + PGPORT;
    console.log(JSON.stringify({ port: Number(PGPORT), socket, pid: process.pid }));
    setInterval(() => {}, 1000);`;
  const ended = run(program(body));
  const first = ended.iterable()[Symbol.asyncIterator]().next();
  return {
    ended,
    place: first.then(({ value }): { port: number; socket: string; pid: number } => JSON.parse(String(value))),
    kill: (signal: NodeJS.Signals) => ended.kill(signal),
  };
}
