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

t.test('at a terminal it asks, and asks again after a wrong answer', async (t) => {
  const cwd = t.testdir();
  const stdin = [
    'postgresql://ada:s3cret@db/shop',
    'stagin',
    'staging',
    '',
    's3://Bad_Name',
    's3://acme-dbguard/x',
    '',
  ];
  const ran = await runCommand('init', [], { cwd, stdin: stdin.join('\n'), terminal: 80, interactive: true });
  t.equal(ran.code, 0);
  t.match(ran.stdout, /\n {2}expected one of .*Did you mean "staging"\?/);
  t.match(ran.stdout, /\n {2}expected file:/);
  t.match(ran.stdout, 'edit dbguard.yaml: who logs you in (identity)\n', 'what is missing still');
  const text = read(join(cwd, 'dbguard.yaml'));
  t.notMatch(text, 's3cret');
  const config = parseConfig(text, 'dbguard.yaml');
  t.match(config, { bucket: { bucket: 'acme-dbguard' }, identity: undefined });
  t.match(config.connections.get('main'), { url: 'postgresql://ada@db/shop', environment: 'staging' });
});

t.test('an issuer is checked where it is asked for, and needs no client id of its own', async (t) => {
  const cwd = t.testdir();
  const stdin = ['', '', 'login.example.com', 'https://login.example.com', '', '', ''];
  const ran = await runCommand('init', [], { cwd, stdin: stdin.join('\n'), terminal: 80, interactive: true });
  t.match(ran.stdout, /login\.example\.com\r?\n {2}expected an https URL, such as [\s\S]*OpenID Connect issuer/);
  t.match(ran.stdout, 'edit dbguard.yaml: where the database is, where transcripts go (bucket)\n');
  const { identity } = parseConfig(read(join(cwd, 'dbguard.yaml')), 'dbguard.yaml');
  t.match(identity, { issuer: 'https://login.example.com', clientId: 'dbguard' });
});

t.test('when the input ends, nothing is written', async (t) => {
  const cwd = t.testdir();
  const ended = runCommand('init', [], { cwd, stdin: 'postgresql://ada@db/shop\n', terminal: 80, interactive: true });
  await t.rejects(ended, { code: 'usage', message: 'nothing was written', exitCode: 130 });
  t.notOk(existsSync(join(cwd, 'dbguard.yaml')));
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

t.test('an editor finds the schema: beside the project, or by the person’s own file', async (t) => {
  const line = /^# yaml-language-server: \$schema=(.+)$/m;
  const cwd = t.testdir({ plain: {}, node_modules: { dbguard: { dist: { bin: { 'dbguard.schema.json': '{}' } } } } });
  await runCommand('init', [], { cwd });
  t.equal(line.exec(read(join(cwd, 'dbguard.yaml')))?.[1], './node_modules/dbguard/dist/bin/dbguard.schema.json');
  await runCommand('init', [], { cwd: join(cwd, 'plain') });
  t.notMatch(read(join(cwd, 'plain/dbguard.yaml')), line, 'no path of this machine in a file that others get');
  await runCommand('init', ['--user'], { cwd, env: { DBGUARD_HOME: join(cwd, 'home') } });
  const place = line.exec(read(join(cwd, 'home/config/dbguard.yaml')))?.[1] ?? '';
  t.strictSame(
    JSON.parse(read(place)),
    JSON.parse(JSON.stringify(configSchema())),
    'the shipped one is of these readers',
  );
});
