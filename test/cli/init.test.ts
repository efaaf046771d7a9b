import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import { configSchema } from '../../src/policy/schema.js';
import { runCommand } from './run-command.js';

const read = (path: string) => readFileSync(path, 'utf8');

t.test('without any flag: a commented file that is valid as it stands', async (t) => {
  const cwd = t.testdir();
  const ran = await runCommand('init', [], { cwd });
  t.equal(ran.code, 0);
  t.match(ran.stdout, 'Wrote dbguard.yaml.');
  const text = read(join(cwd, 'dbguard.yaml'));
  const config = parseConfig(text, 'dbguard.yaml');
  t.equal(config.policy.profile, undefined, 'a profile here would hold over what the user’s own file allows');
  t.equal(config.defaultConnection, 'main');
  t.match(text, /^# identity:$/m);
  t.match(text, /^# bucket: /m);
});

/** "# " goes, as an editor's shortcut takes it away. */
const setting = /^( *)# (?= {2}|(?:bucket|mask|identity|minimum_level|max_login_age|databases|profile|rules):)/gm;

t.test('every comment that holds a setting is valid when it is uncommented', async (t) => {
  const cwd = t.testdir();
  await runCommand('init', ['--issuer', 'https://login.example.com', '--client-id', 'x'], { cwd });
  const text = read(join(cwd, 'dbguard.yaml'));
  const whole = text.replace(setting, '$1');
  const config = parseConfig(whole, 'dbguard.yaml');
  t.equal(config.policy.rules.length, 2);
  t.equal(config.mask.length, 2);
  t.equal(config.identity?.minimumLevel, 'nonce');
  t.equal(config.connections.get('main')?.databases, 'any');
  t.equal(config.bucket?.kind, 's3');
});

t.test('flags become settings', async (t) => {
  const cwd = t.testdir();
  const args = ['--url', 'postgresql://app@db/shop', '--name', 'shop', '--environment', 'staging'];
  args.push('--issuer', 'https://login.example.com', '--client-id', 'cli', '--bucket', 's3://acme-dbguard/shop');
  const ran = await runCommand('init', [...args, '--profile', 'read-only'], { cwd });
  const config = parseConfig(read(join(cwd, 'dbguard.yaml')), 'dbguard.yaml');
  t.match(config, {
    identity: { issuer: 'https://login.example.com', clientId: 'cli' },
    defaultConnection: 'shop',
    bucket: { kind: 's3', bucket: 'acme-dbguard', prefix: 'shop' },
    policy: { profile: 'read-only' },
  });
  t.match(config.connections.get('shop'), { url: 'postgresql://app@db/shop', environment: 'staging' });
  t.match(ran.stdout, /dbguard login/);
});

t.test('values that look like YAML stay text', async (t) => {
  const cwd = t.testdir();
  await runCommand('init', ['--service', 'no', '--name', 'a: b # c'], { cwd });
  const config = parseConfig(read(join(cwd, 'dbguard.yaml')), 'dbguard.yaml');
  t.equal(config.defaultConnection, 'a: b # c');
  t.equal(config.connections.get('a: b # c')?.service, 'no');
});

t.test('a file that is there stays, but for --force', async (t) => {
  const cwd = t.testdir({ 'dbguard.yaml': 'version: 1 # mine\n' });
  await t.rejects(runCommand('init', [], { cwd }), { code: 'usage', message: /exists already/, hint: /--force/ });
  t.equal(read(join(cwd, 'dbguard.yaml')), 'version: 1 # mine\n');
  await runCommand('init', ['--force'], { cwd });
  t.notMatch(read(join(cwd, 'dbguard.yaml')), 'mine');
});

t.test('a wrong flag writes nothing', async (t) => {
  const cwd = t.testdir();
  const wrong: [string[], RegExp][] = [
    [['--environment', 'prod'], /--environment takes one of production/],
    [['--profile', 'gaurded'], /--profile takes one of/],
    [['--url', 'mysql://x'], /connections\.main\.url/],
    [['--url', 'host=a sslmod=require'], /unknown connection parameter "sslmod"/],
    [['--bucket', 'gs://x'], /bucket: expected file:/],
    [['--issuer', 'nowhere', '--client-id', 'x'], /identity\.issuer/],
    [['--url', 'host=a', '--service', 'b'], /not both/],
  ];
  for (const [args, message] of wrong) await t.rejects(runCommand('init', args, { cwd }), { message });
  t.notOk(existsSync(join(cwd, 'dbguard.yaml')));
});

t.test('a password never gets into the file', async (t) => {
  const secret = 'pa55word';
  for (const url of [
    `postgresql://app:${secret}@db/shop?sslmode=require`,
    `postgres://app:${secret}%40@db,db2:5433/shop`,
    `postgresql://app@db/shop?password=${secret}&sslmode=require`,
    `postgresql://app@db/shop?sslmode=require&password=${secret}`,
    `host=db password=${secret} dbname=shop`,
    `host=db password='${secret} \\' x' dbname=shop`,
    `host=db password = ${secret}`,
  ]) {
    const cwd = t.testdir();
    const ran = await runCommand('init', ['--url', url, '--force'], { cwd });
    const text = read(join(cwd, 'dbguard.yaml'));
    t.notMatch(text + ran.stdout + ran.stderr, secret, url);
    t.match(ran.stderr, /The password in the URL was left out/);
    t.match(parseConfig(text, 'f').connections.get('main')?.url, /db/);
  }
});

t.test('--user writes a private file into the user’s own folder', async (t) => {
  const home = t.testdir();
  mkdirSync(join(home, 'project'));
  const ran = await runCommand('init', ['--user'], { cwd: join(home, 'project'), env: { DBGUARD_HOME: home } });
  const path = join(home, 'config', 'dbguard.yaml');
  t.match(ran.stdout, 'dbguard.yaml');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(read(path), /password_command/);
  t.equal(parseConfig(read(path), path).policy.profile, 'guarded');
  t.notOk(existsSync(join(home, 'project', 'dbguard.yaml')));
});

t.test('a folder that cannot be written to is said so', async (t) => {
  const cwd = t.testdir({ file: '' });
  writeFileSync(join(cwd, 'file'), '');
  await t.rejects(runCommand('init', [], { cwd: join(cwd, 'file') }), { message: /cannot write/ });
});

/** Each line answers the question that stands there; nothing listens at the port. */
const plainly = (cwd: string, lines: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  runCommand('init', [], {
    cwd,
    env: { ...more, DBGUARD_HOME: join(cwd, 'home'), DBGUARD_TOKEN_STORE: 'file' },
    stdin: [...lines, ''].join('\n'),
    ...{ terminal: 80, interactive: true },
  });
const nowhere = 'postgresql://ada:s3cret@127.0.0.1:1/shop';

t.test('line by line it asks, tries, and asks again after an answer that cannot stand', async (t) => {
  const cwd = t.testdir();
  const answers = [nowhere, 'n', nowhere, 'y', 'stagin', 'staging', '', 's3://Bad_Name', 'file:./here', 'yes'];
  const ran = await plainly(cwd, answers);
  t.equal(ran.code, 0);
  t.match(ran.stdout, /cannot reach 127\.0\.0\.1:1: nothing listens there\n {4}Check host and port/);
  t.match(ran.stdout, /Keep it anyway[\s\S]*Database:[\s\S]*Keep it anyway/);
  t.match(ran.stdout, /\n {2}x one of production, staging, development\n/);
  t.match(ran.stdout, /\n {2}x expected file:/);
  t.match(ran.stdout, /ok\s+\S+\/here\s+can be written to/);
  t.notOk(existsSync(join(cwd, 'here')), 'it was made to be tried, and taken away');
  t.match(ran.stdout, 'edit dbguard.yaml: who logs you in (identity)\n', 'what is missing still');
  const text = read(join(cwd, 'dbguard.yaml'));
  t.notMatch(text, 's3cret');
  const config = parseConfig(text, 'dbguard.yaml');
  t.match(config, { bucket: { path: './here' }, identity: undefined });
  t.match(config.connections.get('main'), { url: 'postgresql://ada@127.0.0.1:1/shop', environment: 'staging' });
});

t.test('back and forth: what was answered stands there again', async (t) => {
  const cwd = t.testdir();
  const ran = await plainly(cwd, [nowhere, 'y', 'development', '<', '<', '', 'y', '', '', '', '']);
  t.match(ran.stdout, 'Database: [postgresql://ada:***@127.0.0.1:1/shop] ');
  t.match(ran.stdout, 'Environment: [development] ');
  const { connections } = parseConfig(read(join(cwd, 'dbguard.yaml')), 'dbguard.yaml');
  t.equal(connections.get('main')?.environment, 'development');
});

t.test('an issuer is tried where it is asked for, and needs no client id of its own', async (t) => {
  const cwd = t.testdir();
  const issuer = 'http://127.0.0.1:1';
  const ran = await plainly(cwd, ['', '', 'login.example.com', issuer, 'y', '', 'later', '', '']);
  t.match(ran.stdout, /login\.example\.com\r?\n {2}x expected an https URL, such as [\s\S]*Identity: /);
  t.match(ran.stdout, /x .*127\.0\.0\.1:1.*cannot be reached/);
  t.match(ran.stdout, 'edit dbguard.yaml: where the database is, where transcripts go (bucket)\n');
  t.match(ran.stdout, /\n {2}dbguard login\n/, 'a login is still to come');
  const { identity } = parseConfig(read(join(cwd, 'dbguard.yaml')), 'dbguard.yaml');
  t.match(identity, { issuer, clientId: 'dbguard' });
});

t.test('what the project names already is offered, stays where it is, and is asked about no more', async (t) => {
  const cwd = t.testdir({ '.env': `DATABASE_URL=${nowhere}\n` });
  const ran = await plainly(cwd, ['', 'y', '', '', '']);
  t.match(ran.stdout, 'Database: [from .env] ');
  const text = read(join(cwd, 'dbguard.yaml'));
  t.notMatch(text, 's3cret');
  t.equal(parseConfig(text, 'dbguard.yaml').connections.size, 0);
  t.match(text, /\(DATABASE_URL in \.env\)[\s\S]*^# connections:\n# {3}main:\n# {5}url: /m);
  const env = { DBGUARD_HOME: join(cwd, 'home') };
  t.match(await runCommand('status', [], { cwd, env }), { stdout: /ada@127\.0\.0\.1:1\/shop/ });
});

t.test('a find says what of the person’s goes there before it is taken, and shows none of it', async (t) => {
  const token = 'ghp-17-of-the-person';
  const cwd = t.testdir({ '.env': 'DATABASE_URL=postgresql://ada:$GITHUB_TOKEN@127.0.0.1:1/shop\n' });
  const ran = await plainly(cwd, ['-', '', '', '', ''], { GITHUB_TOKEN: token });
  const [before = ''] = ran.stdout.split('Database: [');
  t.match(
    before.replace(/\s+/g, ' '),
    /from \.env: ada@127\.0\.0\.1:1\/shop, gets the variable GITHUB_TOKEN of your environment/,
  );
  t.notMatch(ran.stdout + read(join(cwd, 'dbguard.yaml')), token);
});

t.test('when the input ends, nothing is written', async (t) => {
  const cwd = t.testdir();
  await t.rejects(plainly(cwd, [nowhere]), { code: 'usage', message: 'nothing was written', exitCode: 130 });
  t.strictSame(readdirSync(cwd), []);
});

t.test('what would not be valid names no line of a file that was not written', async (t) => {
  const cwd = t.testdir({});
  for (const args of [
    ['--url', 'nonsense'],
    ['--issuer', 'nonsense'],
    ['--bucket', 'ftp://x'],
  ]) {
    const ran = runCommand('init', args, { cwd, env: { DBGUARD_HOME: cwd } });
    const error = await ran.then(
      () => undefined,
      (thrown) => thrown,
    );
    t.match(error, { code: 'usage' }, args.join(' '));
    t.notMatch(String(error?.message), /:\d+:\d+|dbguard\.yaml/, args.join(' '));
    t.strictSame(readdirSync(cwd), [], args.join(' '));
  }
});

t.test('an editor finds the schema: beside the project, beside the file, or by the person’s own file', async (t) => {
  const line = /^# yaml-language-server: \$schema=(.+)$/m;
  const cwd = t.testdir({
    ...{ plain: {}, beside: {}, node_modules: { dbguard: { dist: { bin: { 'dbguard.schema.json': '{}' } } } } },
  });
  const placeIn = (folder: string) => line.exec(read(join(cwd, folder, 'dbguard.yaml')))?.[1];
  await runCommand('init', [], { cwd });
  t.equal(placeIn('.'), './node_modules/dbguard/dist/bin/dbguard.schema.json');
  await runCommand('init', [], { cwd: join(cwd, 'plain') });
  t.equal(placeIn('plain'), undefined, 'no path of this machine in a file that others get');
  t.match(read(join(cwd, 'plain/dbguard.yaml')), /^# An editor completes it once "dbguard init --force --schema"/);
  await runCommand('init', ['--schema'], { cwd: join(cwd, 'beside') });
  t.equal(placeIn('beside'), './dbguard.schema.json');
  await runCommand('init', ['--user'], { cwd, env: { DBGUARD_HOME: join(cwd, 'home') } });
  for (const place of [placeIn('home/config') ?? '', join(cwd, 'beside/dbguard.schema.json')])
    t.strictSame(JSON.parse(read(place)), JSON.parse(JSON.stringify(configSchema())), 'it is of these readers');
});
