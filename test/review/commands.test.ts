/** The commands as people use them: a bucket in a folder, dbguard.yaml, a stored login. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import * as archiveKeys from '../../src/cli/commands/transcripts-archive-keys.js';
import * as list from '../../src/cli/commands/transcripts-list.js';
import * as reconcile from '../../src/cli/commands/transcripts-reconcile.js';
import * as redact from '../../src/cli/commands/transcripts-redact.js';
import * as revokeKey from '../../src/cli/commands/transcripts-revoke-key.js';
import * as search from '../../src/cli/commands/transcripts-search.js';
import * as show from '../../src/cli/commands/transcripts-show.js';
import * as verify from '../../src/cli/commands/transcripts-verify.js';
import * as upload from '../../src/cli/commands/upload.js';
import { openBucket } from '../../src/io/bucket/open.js';
import { archivedKeys } from '../../src/review/issuer-keys.js';
import { issuerKeysPrefix } from '../../src/transcript/object-key.js';
import { clientId as providerClient, startProvider } from '../identity/provider.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { record } from '../transcript/recorded.js';
import { commandWorld } from './command-world.js';

const issuer = await testIssuer();

const world = (t: Test, yaml?: string) => commandWorld(t, issuer, yaml);
const withKeys = { keys: 'keys.json' };

test('list: who, where, what was denied; filters', async (t) => {
  const { run, store } = world(t);
  t.match(await run(list), { code: 0, out: '', err: /No sessions in / });
  const first = record(await issuer.login('ada'));
  await store(first);
  await store(record(await issuer.login('bob'), { statements: 1 }));
  const { out } = await run(list);
  t.equal(out.trim().split('\n').length, 2);
  t.match(out, new RegExp(`${first.sid}  .*ada@example.test.*shop.*4 stmts  1 denied`));
  t.match((await run(list, [], { person: 'ADA@' })).out, /^\S+ {2}\S+ \S+ {2}ada/);
  t.notMatch((await run(list, [], { denied: true })).out, /bob@/);
  t.equal((await run(list, [], { asked: true })).out, '');
  const asked = record(await issuer.login('eve'), { extra: [[{ k: 'statement', decision: 'ask' }]] });
  const crashed = record(await issuer.login('dan'), { final: false });
  crashed.segments.at(-1)?.pop();
  for (const session of [asked, crashed]) await store(session);
  t.match((await run(list, [], { asked: true })).out, /eve@[\s\S]*dan@|dan@[\s\S]*eve@/, 'and the one that may be');
  t.equal((await run(list, [], { connection: 'other' })).out, '');
  t.equal((await run(list, [], { day: '2001-02-03' })).out, '');
  await t.rejects(run(list, [], { day: 'yesterday' }), { code: 'usage' });
  const [json] = (await run(list, [], { json: true })).out.split('\n');
  t.match(JSON.parse(json ?? ''), { sid: first.sid, statements: 4, denied: 1, person: { sub: 'ada' } });
  t.notMatch(json, 'idToken');
});

test('show and verify: by a prefix of the id, in words and in exit codes', async (t) => {
  const { run, store } = world(t);
  const session = record(await issuer.login('ada'));
  await store(session);
  const shown = await run(show, [session.sid.slice(0, 12)], withKeys);
  t.equal(shown.code, 0);
  t.match(shown.out, /SELECT 0/);
  t.match(shown.out, /denied by rule/);
  t.match(shown.out, /PROVEN\n {2}✓ who .*ada@example.test.*keys.json/);
  const proven = await run(verify, [session.sid], withKeys);
  t.match(proven, { code: 0, out: /✓ whole .*sealed/ });
  t.match(proven.out, /\? not proven .*keeps no versions.*what happened outside dbguard/);
  t.notMatch(proven.out, session.credential.login.idToken);
  const json = await run(verify, [session.sid], { ...withKeys, json: true });
  t.match(JSON.parse(json.out), { verdict: 'proven', open: { subject: { sub: 'ada' } } });
  t.notMatch(json.out, session.credential.login.idToken);
  t.match(await run(verify, [session.sid], { offline: true }), { code: 2, out: /NOT ALL PROVEN/ });
  t.match(await run(verify, [], { all: true, ...withKeys }), { code: 0, out: /1 proven, 0 not all proven, 0 changed/ });
  await t.rejects(run(verify, ['zz'], withKeys), { code: 'transcript-unknown' });
  await t.rejects(run(verify, [], withKeys), { code: 'usage' });
  await t.rejects(run(verify, [session.sid], { keys: 'dbguard.yaml' }), { code: 'usage' });
});

test('verify --all: many of one kind are twenty, and one line that counts the rest', async (t) => {
  const { run, store } = world(t);
  const ada = await issuer.login('ada');
  for (let n = 0; n < 25; n++) {
    const session = record(ada);
    session.segments.splice(1, 1);
    await store(session);
  }
  await store(record(await issuer.login('bob'), { final: false }));
  const { code, out } = await run(verify, [], { all: true, ...withKeys });
  t.equal(code, 1);
  t.equal(out.match(/^CHANGED OR FORGED$/gm)?.length, 20);
  const rest = /^5 more: CHANGED OR FORGED \(.*entry-missing.*\), the first of them \w{26}; --json says everything/m;
  t.match(out.replace(/\n {4}/g, ' '), rest);
  t.match(out, /NOT ALL PROVEN[\s\S]*0 proven, 1 not all proven, 25 changed or forged/);
  const json = await run(verify, [], { all: true, json: true, ...withKeys });
  t.equal(json.out.match(/^\{"sid":/gm)?.length, 26, 'as JSON each is there');
});

test('another person’s session of the same id does not stand in for it', async (t) => {
  const { run, store } = world(t);
  const session = record(await issuer.login('ada'));
  const shadow = await issuer.login('eve');
  const { createSession } = await import('../../src/identity/session.js');
  const now = Date.now();
  const credential = createSession(shadow, { now, lifetimeMs: 60_000, sid: session.sid });
  await store(session);
  await store(record(shadow, { credential, at: now + 1 }));
  await t.rejects(run(verify, [session.sid], withKeys), { code: 'usage', message: /2 sessions/ });
  const own = session.prefix.split('/')[1] ?? '';
  t.match(await run(verify, [`${own}/${session.sid}`], withKeys), { code: 0, out: /ada@example.test/ });
});

test('verify names what was changed, exit code 1', async (t) => {
  const { run, store } = world(t);
  const session = record(await issuer.login('ada'));
  session.segments[1]?.splice(1, 1);
  await store(session);
  t.match(await run(verify, [session.sid], withKeys), {
    code: 1,
    out: /CHANGED OR FORGED[\s\S]*failure entry-missing/,
  });
  t.match(await run(verify, [], { all: true, ...withKeys }), { code: 1, out: /0 proven, 0 not all proven, 1 changed/ });
  t.match(await run(show, [session.sid], withKeys), { code: 1 });
});

test('no text of a transcript reaches the terminal as it is', async (t) => {
  const { run, store } = world(t);
  const evil = 'SELECT 1; \u001b]0;owned\u0007\u001b[2J\u202e -- \u0085';
  const login = await issuer.login('ada');
  const session = record(login, {
    extra: [[{ k: 'statement', conn: 1, rule: evil, decision: 'allow' }, { sql: evil }]],
  });
  await store(session);
  for (const result of [
    await run(show, [session.sid], withKeys),
    await run(search, ['owned']),
    await run(list),
    await run(verify, [session.sid], withKeys),
  ]) {
    t.notMatch(result.out + result.err, /(?!\n)\p{Cc}|\u202e/u);
  }
});

test('search finds statements across sessions', async (t) => {
  const { run, store } = world(t);
  const sessions = [record(await issuer.login('ada')), record(await issuer.login('bob'))];
  for (const session of sessions) await store(session);
  const { code, out } = await run(search, ['select', '3']);
  t.equal(code, 0);
  t.same(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0])
      .sort(),
    sessions.map(({ sid }) => sid).sort(),
  );
  t.match(await run(search, ['no such text']), { code: 1, out: '' });
  const [first] = sessions;
  const one = await run(search, ['select', '3'], { session: first?.sid.slice(0, 20) });
  t.match(one.out, first?.sid);
  t.equal(one.out.trim().split('\n').length, 1, 'only the session that is named');
  t.match(await run(search, ['select', '3'], { day: '2001-01-01' }), { code: 1, out: '' });
  await t.rejects(run(search, ['select', '3'], { since: 'monday' }), { code: 'usage' });
});

test('redact: signed by another person; the copy has it no more and verifies', async (t) => {
  const { run, store, logIn } = world(t);
  const session = record(await issuer.login('ada'));
  await store(session);
  const how = { entry: '2', reason: 'card number', to: 'copy', ...withKeys };
  await t.rejects(run(redact, [session.sid], how), { code: 'login-required' });
  await logIn('ada');
  await t.rejects(run(redact, [session.sid], how), { code: 'denied' });
  await logIn('lead');
  await t.rejects(run(redact, [session.sid], { ...how, entry: '0' }), { code: 'transcript-unknown' });
  await t.rejects(run(redact, [session.sid], { entry: '2' }), { code: 'usage' });
  t.match(await run(redact, [session.sid], how), { code: 0, out: /Redacted sql, bind of entry 2/ });
  const original = await run(show, [session.sid], withKeys);
  t.equal(original.code, 0);
  t.notMatch(original.out, 'SELECT 0', 'not shown any more');
  t.match(original.out, 'SELECT 2');
  const copied = await run(verify, [session.sid], { ...withKeys, bucket: 'copy' });
  t.match(copied, { code: 0, out: /2 texts redacted by a reviewer/ });
  t.equal((await run(search, ['SELECT 0'], { bucket: 'copy' })).code, 1);
});

test('a text that was said before: found, shown and redacted where it is meant', async (t) => {
  const { run, store, logIn } = world(t);
  const again = (text: number) => [{ k: 'statement', conn: 1, text, facts: 2, decision: 'allow' }] as const;
  const done = (of: number) => [{ k: 'outcome', of, how: 'done' }] as const;
  const said = [{ k: 'statement', conn: 1, facts: [{ command: 'SELECT' }], decision: 'allow' }] as const;
  const session = record(await issuer.login('ada'), {
    statements: 0,
    extra: [[...said, { sql: 'SELECT 4000123412341234' }], done(2), again(2), done(4), again(2), done(6)],
  });
  await store(session);
  const found = await run(search, ['4000123412341234']);
  t.same(
    found.out
      .trim()
      .split('\n')
      .map((line) => /#(\d+)/.exec(line)?.[1]),
    ['2', '4', '6'],
  );
  t.match((await run(show, [session.sid], withKeys)).out, /#4 .*SELECT text of #2 allow\n\s+SELECT 4000/);
  await logIn('lead');
  const how = { entry: '6', reason: 'card number', to: 'copy', ...withKeys };
  t.match(await run(redact, [session.sid], how), {
    code: 0,
    out: /Redacted sql of entry 2: .*\nEvery statement with that text refers to the entry that disclosed it first/,
  });
  for (const bucket of ['bucket', 'copy'])
    t.notMatch((await run(show, [session.sid], { ...withKeys, bucket })).out, '4000', bucket);
  t.match(await run(verify, [session.sid], { ...withKeys, bucket: 'copy' }), { code: 0, out: /1 text redacted/ });
  t.equal((await run(search, ['4000'], { bucket: 'copy' })).code, 1);
});

test('archive-keys keeps what the issuer publishes, and verify takes it from there', async (t) => {
  const provider = await startProvider();
  t.teardown(() => provider.close());
  const yaml = `version: 1\nidentity:\n  issuer: ${provider.issuer}\n  client_id: ${providerClient}\nbucket: file:./bucket\n`;
  const { run, root } = world(t, yaml);
  const { out } = await run(archiveKeys, [], { to: 'archive' });
  t.match(out, /^jwks\/[0-9a-f]{32}\/k1-[0-9a-f]{16}\.json\n$/);
  t.equal((await run(archiveKeys, [], { to: 'archive' })).out, out, 'daily: the same again is no error');
  t.same(readdirSync(join(root, 'archive')), ['jwks']);
});

test('archive-keys keeps the keys of every issuer of the configuration, whichever is away', async (t) => {
  const [people, jobs, more] = await Promise.all([startProvider(), startProvider(), startProvider()]);
  t.teardown(() => Promise.all([people, jobs, more].map((provider) => provider.close())));
  const away = 'http://127.0.0.1:1';
  const yaml = `version: 1\nidentity:\n  issuer: ${people.issuer}\n  client_id: ${providerClient}\n  workload_issuers: [${away}, ${jobs.issuer}]\nbucket: file:./bucket\n`;
  const { run, root } = world(t, yaml);
  await t.rejects(run(archiveKeys, [], { to: 'archive', workloadIssuer: more.issuer }), {
    message: /127\.0\.0\.1:1\b/,
  });
  const archive = await openBucket({ kind: 'file', path: join(root, 'archive') }, { env: {} });
  const kept = async ({ issuer }: { issuer: string }) =>
    (await archivedKeys(archive).keysOf(issuer)).flatMap(({ keys }) => keys);
  for (const provider of [people, jobs, more]) t.equal((await kept(provider)).length, 1, 'each of those that answer');
  const { status } = await run(archiveKeys, [], { to: 'archive' }).then(
    () => ({ status: 'done' }),
    () => ({ status: 'failed' }),
  );
  t.equal(status, 'failed', 'and the one that is away is not forgotten');
});

test('revoke-key: by session or by key; what the archive says counts where --keys names it', async (t) => {
  const { run, store, root } = world(t);
  const session = record(await issuer.login('ada'));
  await store(session);
  mkdirSync(join(root, 'archive'));
  const archive = await openBucket({ kind: 'file', path: join(root, 'archive') }, { env: {} });
  const [key] = issuer.keys.keys;
  await archive.create(`${issuerKeysPrefix(issuerUrl)}k1.json`, Buffer.from(JSON.stringify(key)));
  const named = { keys: 'archive' };
  t.match(await run(verify, [session.sid], named), { code: 0, out: /PROVEN/ });
  await t.rejects(run(revokeKey, [session.sid], { reason: 'lost' }), { code: 'usage', hint: /--to/ });
  await t.rejects(run(revokeKey, [session.sid], { reason: 'lost', to: 'archive', since: 'soon' }), { code: 'usage' });
  const later = { reason: 'lost', to: 'archive', since: '2100-01-01T00:00Z' };
  const { out } = await run(revokeKey, [session.sid], later);
  t.match(out, /^Revoked [\w-]{43} from 2100-01-01 00:00 UTC: revoked\//);
  t.match(await run(verify, [session.sid], named), { code: 0 }, 'it was before');
  const thumbprint = out.split(' ')[1] ?? '';
  await run(revokeKey, [thumbprint], { reason: 'laptop stolen', to: 'archive', since: '2020-01-01T00:00Z' });
  t.match(await run(verify, [session.sid], named), { code: 1, out: /login-revoked.*2020-01-01[\s\S]*laptop stolen/ });
  t.match(await run(verify, [], { all: true, ...named }), { code: 1, out: /login-revoked/ });
  t.match(await run(verify, [session.sid], withKeys), { code: 0 }, 'another archive says nothing of it');
});

test('an issuer without a client id, named on the command line, counts', async (t) => {
  const { run, store } = world(t, 'version: 1\nbucket: file:./bucket\n');
  const session = record(await issuer.login('ada'));
  await store(session);
  t.match(await run(verify, [session.sid], withKeys), { code: 2, out: /NOT ALL PROVEN[\s\S]*--client-id/ });
  const known = { ...withKeys, clientId };
  t.match(await run(verify, [session.sid], known), { code: 0, out: /PROVEN/ });
  const other = { ...known, issuer: 'https://other.example' };
  t.match(await run(verify, [session.sid], other), { code: 2, out: /NOT ALL PROVEN[\s\S]*--workload-issuer/ });
  t.match(await run(verify, [session.sid], { ...other, workloadIssuer: issuerUrl }), { code: 0 });
  t.match(await run(verify, [session.sid], { ...withKeys, clientId: 'other' }), { code: 1, out: /not other/ });
});

test('verify with a folder of archived keys', async (t) => {
  const { run, store, root } = world(t);
  const session = record(await issuer.login('ada'));
  await store(session);
  const folder = join(root, 'archive', issuerKeysPrefix(issuerUrl));
  mkdirSync(folder, { recursive: true });
  t.match(await run(verify, [session.sid], { keys: 'archive' }), { code: 2 });
  writeFileSync(join(folder, 'k1-0.json'), JSON.stringify(issuer.keys.keys[0]));
  t.match(await run(verify, [session.sid], { keys: 'archive' }), { code: 0, out: /archive in file:/ });
});

test('keys that lie beside the transcripts are not trusted by themselves', async (t) => {
  const { run, store, root } = world(t);
  const impostor = await testIssuer();
  const session = record(await impostor.login('boss'));
  await store(session);
  const folder = join(root, 'bucket', issuerKeysPrefix(issuerUrl));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'k1-0.json'), JSON.stringify(impostor.keys.keys[0]));
  const planted = await run(verify, [session.sid], { offline: true });
  t.match(planted, { code: 2, out: /NOT ALL PROVEN[\s\S]*whoever may write there/ });
  t.match(await run(verify, [session.sid], { offline: true, keys: 'bucket' }), { code: 0 }, 'named is trusted');
  t.match(await run(verify, [session.sid], withKeys), { code: 1 }, 'not the issuer’s key');
});

test('reconcile names connections that went around dbguard, in each format of the log', async (t) => {
  const { run, store, root } = world(t);
  const at = Date.UTC(2026, 10, 23, 12);
  const login = await issuer.login('ada', { at });
  const connection = (backendPid: number) => [{ k: 'connection', event: 'open', conn: 1, backendPid }] as const;
  await store(record(login, { extra: [connection(100), connection(101), connection(102)] }));
  const message =
    'connection authorized: user=app database=shop application_name=my tool SSL enabled (protocol=TLSv1.3)';
  const logs = {
    'server.log': [
      `2026-11-23 12:00:01.500 UTC [100] app@shop LOG:  ${message}`,
      '2026-11-23 12:00:01.600 UTC [100] app@shop LOG:  statement: select 1',
      `2026-11-23 12:00:03.000 UTC [100] app@shop LOG:  connection authorized: user=app database=shop application_name=dbguard/fake`,
    ],
    'server.json': [
      JSON.stringify({ timestamp: '2026-11-23 12:00:02.000 UTC', pid: 101, error_severity: 'LOG', message }),
      JSON.stringify({ timestamp: '2026-11-23 18:00:00.000 UTC', pid: 101, error_severity: 'LOG', message }),
    ],
    'server.csv': [
      `2026-11-23 13:00:01.000 +01,"app","shop",102,"10.0.0.1:5",6a.66,2,"authentication",2026-11-23 12:00:00 UTC,3/1,0,LOG,00000,"${message}",,,,,,,,,"","client backend",,0`,
    ],
    'prefix.log': [
      `2026-11-23 12:00:01.500 UTC app=[100] [999] LOG:  AUDIT: SESSION,1,1,WRITE,DELETE,,,delete from x,<none>`,
    ],
    'zone.log': [`2026-11-23 13:00:01.500 CET [102] LOG:  ${message}`],
  };
  for (const [name, lines] of Object.entries(logs)) writeFileSync(join(root, name), lines.join('\n'));
  const { code, out, err } = await run(reconcile, ['server.log', 'server.json', 'server.csv'], {});
  t.equal(code, 1);
  t.match(err, /5 connections in the log, 3 connections in transcripts; 2 connections went around/);
  t.match(
    out,
    /backend 100 {2}user app, database shop, application dbguard\/fake/,
    'a name proves nothing; one is one',
  );
  t.match(out, /18:00:00.000Z {2}backend 101/, 'the process id of another day');
  t.match(await run(reconcile, ['server.log'], { user: 'app', database: 'shop' }), { code: 1 });
  await t.rejects(run(reconcile, ['server.log'], { user: 'nobody' }), { code: 'usage' });
  await t.rejects(run(reconcile, ['missing.log'], {}), { code: 'usage', message: /missing.log/ });

  const unread = {
    code: 1,
    out: /^prefix\.log:1 {2}not understood {2}2026/,
    err: /1 line not understood.*--log-line-prefix/s,
  };
  t.match(await run(reconcile, ['prefix.log'], {}), unread, 'no word that nothing went around');
  const said = { logLinePrefix: '%t app=%a [%p] ' };
  t.match(await run(reconcile, ['prefix.log'], said), { code: 1, out: /backend 999 / });
  t.match(await run(reconcile, ['zone.log'], {}), { code: 1, err: /1 line not understood.*--utc-offset/s });
  for (const utcOffset of ['+01:00', 'Europe/Berlin'])
    t.match(await run(reconcile, ['zone.log'], { utcOffset }), { code: 0 });
  await t.rejects(run(reconcile, ['zone.log'], { utcOffset: 'CET+1' }), { code: 'usage' });
  t.match(
    await run(reconcile, ['server.csv'], { connection: 'another' }),
    { code: 1 },
    'transcripts of another server',
  );
});

test('reconcile over logs that were once read as nothing', async (t) => {
  const { run, store, root } = world(t);
  const login = await issuer.login('ada', { at: Date.UTC(2026, 10, 23, 12) });
  await store(record(login, { extra: [[{ k: 'connection', event: 'open', conn: 1, backendPid: 100 }]] }));
  const now = '2026-11-23 12:00:01';
  const authorized = 'connection authorized: user=app database=shop';
  const audit = 'AUDIT: SESSION,1,1,WRITE,DELETE,TABLE,public.orders,delete from orders,<none>';
  const badger = (pid: number, app: string, message: string): string =>
    `${now} UTC [${pid}]: [3-1] user=app,db=shop,app=${app},client=10.0.0.1 LOG:  ${message}`;
  const cloudNative = { log_time: `${now}.123 UTC`, user_name: 'app', database_name: 'shop', process_id: '4242' };
  const logs: Readonly<Record<string, readonly string[]>> = {
    'an application that is named like a level': [
      badger(100, '[unknown]', authorized),
      badger(999999, 'LOG:  ', audit),
    ],
    'an application that is named like a backend': [`${now} UTC app=[100] [999999] LOG:  ${audit}`],
    ...Object.fromEntries(
      ['DEBUG', 'INFO', 'NOTICE', 'WARNING'].map((level) => [
        `pgaudit.log_level = ${level}`,
        [`${now}.123 UTC [100] LOG:  ${authorized}`, `${now}.123 UTC [999999] ${level}:  ${audit}`],
      ]),
    ),
    'RDS and Aurora': [
      `${now} UTC:10.0.0.1(49654):app@shop:[100]:LOG:  ${authorized}`,
      `${now} UTC:10.0.0.1(49654):app@shop:[999999]:LOG:  ${audit}`,
    ],
    CloudNativePG: [JSON.stringify({ logger: 'postgres', record: { ...cloudNative, message: authorized } })],
    syslog: [`Nov 23 12:00:01 db1 postgres[4242]: [3-1] LOG:  ${authorized}`],
    Azure: [`${now} UTC-692a6ed1.1092-LOG:  ${authorized}`],
    epoch: [`1795435201.123 [4242] LOG:  ${authorized}`],
    'another language': [
      `${now}.123 UTC [100] LOG:  ${authorized}`,
      `${now}.123 UTC [4242] LOG:  conexão autorizada: usuário=app banco de dados=shop`,
    ],
    'UTF-16': ['\uFEFFL\0O\0G\0'],
  };
  for (const [name, lines] of Object.entries(logs)) {
    writeFileSync(join(root, 'server.log'), `${lines.join('\n')}\n`);
    writeFileSync(join(root, 'good.log'), `${now}.123 UTC [100] LOG:  ${authorized}\n`);
    for (const options of [{}, { user: 'app' }]) {
      const { code, out, err } = await run(reconcile, ['good.log', 'server.log'], options);
      t.equal(code, 1, name);
      t.match(`${out}${err}`, /backend (?:999999|4242) .*user (?:app|unknown)|not understood|in a language/, name);
    }
  }
  t.match(await run(reconcile, ['good.log'], { user: 'app' }), { code: 0 }, 'and a good one is good');
});

test('upload with nothing to do, and without a bucket', async (t) => {
  const { run } = world(t);
  t.match(await run(upload), { code: 0, err: /Nothing waits/ });
  const bare = world(t, 'version: 1\n');
  await t.rejects(bare.run(list), { code: 'config-missing', hint: /--bucket/ });
});
