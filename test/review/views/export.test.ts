/** What is proven, for other programs: events for a log collector, Parquet files, a report, tables for other engines. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { type Test, test } from 'tap';
import * as ddl from '../../../src/cli/commands/transcripts-ddl.js';
import * as exported from '../../../src/cli/commands/transcripts-export.js';
import * as follow from '../../../src/cli/commands/transcripts-follow.js';
import * as report from '../../../src/cli/commands/transcripts-report.js';
import { dayOf } from '../../../src/cli/transcripts/id-span.js';
import { engineNames } from '../../../src/review/views/ddl-engines.js';
import { entryViewNames, entryViews } from '../../../src/review/views/view-table.js';
import { testIssuer } from '../../transcript/people.js';
import { record } from '../../transcript/recorded.js';
import { commandWorld } from '../command-world.js';
import { busySession } from './busy-session.js';

const issuer = await testIssuer();
const withKeys = { keys: 'keys.json' };
const linesOf = (out: string) => out.split('\n').filter((line) => line !== '');

function worldOf(t: Test) {
  const world = commandWorld(t, issuer);
  const events = async (format: string, options = {}) =>
    linesOf((await world.run(exported, [], { ...withKeys, format, ...options })).out);
  return { ...world, events };
}

test('events: what is proven, once, in order; a cursor says from where on', async (t) => {
  const { events, store, run, root } = worldOf(t);
  const ada = busySession(await issuer.login('ada'));
  await store(ada);
  const all = (await events('json')).map((line) => JSON.parse(line));
  t.match(all[0], { view: 'sessions', person: 'ada@example.test', verification: 'proven', opened_at: /Z$/ });
  const numbers = all.slice(1).map(({ n }) => n);
  t.strictSame(
    numbers,
    [...numbers].sort((a, b) => a - b),
    'entries in their order',
  );
  t.equal(all.filter(({ view }) => view === 'statements').length, 5);
  t.match(
    all.find(({ view }) => view === 'verdicts'),
    { decision: 'deny', reason: 'not on a Friday', statement: 7 },
  );

  const cursor = { cursor: 'siem.cursor' };
  t.equal((await events('json', cursor)).length, all.length);
  t.strictSame(await events('json', cursor), [], 'nothing is new');
  t.equal(statSync(join(root, 'siem.cursor')).mode & 0o777, 0o600);
  const running = record(await issuer.login('bob'), { final: false, statements: 3 });
  const tail = running.segments.at(-1)?.splice(-1, 1) ?? [];
  t.match(tail[0], /^\{"size":/);
  await store(running);
  await store(busySession(await (await testIssuer()).login('eve')));
  const more = await run(exported, [], { ...withKeys, format: 'json', ...cursor });
  const news = linesOf(more.out).map((line) => JSON.parse(line));
  t.strictSame([...new Set(news.map(({ person }) => person))].sort(), ['bob@example.test', 'eve@example.test']);
  t.strictSame(
    news.filter(({ person }) => person.startsWith('eve')).map(({ view, verification }) => [view, verification]),
    [['sessions', 'invalid']],
    'what nothing proves is one event: that it is there',
  );
  t.equal(news.filter(({ view }) => view === 'statements').length, 2, 'not what no signature covers yet');
  t.match(more.err, /LEFT OUT: what 1 session/);
  writeFileSync(join(root, 'siem.cursor'), '{"version":1,"bucket":"s3://other","sessions":{}}');
  await t.rejects(events('json', cursor), { code: 'config-invalid', message: /another bucket/ });
  writeFileSync(join(root, 'siem.cursor'), '[');
  await t.rejects(events('json', cursor), { code: 'config-invalid' });
  await t.rejects(run(follow, [], withKeys), { code: 'usage', message: /--cursor/ });
  await t.rejects(run(exported, [], withKeys), { code: 'usage' });
});

test('syslog and OCSF: what their readers need, and no text of a transcript ends a line', async (t) => {
  const { events, store } = worldOf(t);
  const evil = `SELECT 'ü\u2028\u0085' -- \n<0>1 2026 evil`;
  const extra = [
    [
      { k: 'statement', decision: 'deny', facts: [{ command: 'DROP', effects: [{ kind: 'drop', targets: ['t'] }] }] },
      { sql: evil },
    ],
    [{ k: 'verdict', of: 2, decision: 'deny', by: 'rule' }],
  ] as const;
  await store(record(await issuer.login('ada'), { statements: 0, extra }));
  const syslog = await events('syslog');
  for (const line of syslog) {
    t.match(
      line,
      /^<1(?:08|10)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [\x21-\x7e]+ dbguard - [a-z]+ - \{[\x20-\x7e]*\}$/,
    );
  }
  t.match(syslog[1], /^<108>1 /, 'a denial is a warning (severity 4) of the facility log audit (13)');
  t.equal(JSON.parse(syslog[1]?.slice(syslog[1].indexOf('{')) ?? '').sql, evil);
  for (const line of await events('ocsf')) {
    t.match(line, /^[\x20-\x7e]*$/);
    isOcsf(t, JSON.parse(line));
  }
  const [, denied] = (await events('ocsf')).map((line) => JSON.parse(line));
  t.match(denied, {
    class_uid: 6005,
    activity_id: 7,
    action_id: 2,
    table: { name: 't' },
    query_info: { query_string: evil },
  });
  t.match(denied.actor, { user: { name: 'ada@example.test', uid: 'ada' } });
});

/** What OCSF 1.3.0 requires of each class and object, and all that it knows of those that are closed: schema.ocsf.io/1.3.0. */
const ocsf: Readonly<Record<string, { readonly required: string; readonly known?: string; readonly oneOf?: string }>> =
  {
    event: { required: 'activity_id actor category_uid class_uid metadata severity_id src_endpoint time type_uid' },
    metadata: { required: 'product version' },
    actor: { required: '', oneOf: 'process user invoked_by session app_name app_uid' },
    src_endpoint: { required: '', oneOf: 'ip uid name hostname svc_name instance_uid interface_uid interface_name' },
    database: { required: 'type_id', oneOf: 'name uid' },
    table: { required: '', oneOf: 'name uid' },
    query_info: { required: 'query_string', known: 'bytes data name query_string query_time uid' },
    api: { required: 'operation' },
  };
const classes: Readonly<Record<number, { readonly parts: string; readonly profiles: readonly string[] | undefined }>> =
  {
    6003: { parts: 'api', profiles: undefined },
    6005: { parts: 'database', profiles: ['security_control'] },
  };

function isOcsf(t: Test, event: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
  const ofClass = classes[Number(event.class_uid)];
  if (ofClass === undefined) return void t.fail(`class ${event.class_uid}`);
  t.equal(event.type_uid, Number(event.class_uid) * 100 + Number(event.activity_id));
  t.ok(ofClass.parts in event, `${event.class_uid} has ${ofClass.parts}`);
  t.strictSame(event.metadata?.profiles, ofClass.profiles);
  t.equal('action_id' in event, ofClass.profiles !== undefined, 'what a profile brings comes with the profile');
  for (const [name, { required, known, oneOf }] of Object.entries(ocsf)) {
    const one = name === 'event' ? event : event[name];
    if (one === undefined) continue;
    for (const attribute of required.split(' ').filter(Boolean)) t.ok(attribute in one, `${name}.${attribute}`);
    if (oneOf !== undefined)
      t.ok(
        oneOf.split(' ').some((attribute) => attribute in one),
        `${name}: one of ${oneOf}`,
      );
    if (known !== undefined)
      t.strictSame(
        Object.keys(one).filter((attribute) => !known.split(' ').includes(attribute)),
        [],
      );
  }
}

test('events of every kind are what OCSF asks of them', async (t) => {
  const { events, store } = worldOf(t);
  await store(busySession(await issuer.login('ada')));
  const all = (await events('ocsf')).map((line) => JSON.parse(line));
  t.ok(new Set(all.map(({ metadata }) => metadata.log_name)).size >= 5);
  for (const event of all) isOcsf(t, event);
});

test('followed: what comes is told as it comes, once; the next reader goes on from there', async (t) => {
  const { events, store, root } = worldOf(t);
  await store(busySession(await issuer.login('ada')));
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const env = { DBGUARD_HOME: join(root, 'home') };
  const options = { ...withKeys, format: 'json', cursor: 'siem.cursor', every: '1s' };
  const over = follow.run({ stdin, stdout, stderr: stderr.resume(), env, cwd: root }, [], options as never);
  const told: { view: string; person: string; n?: number }[] = [];
  const lines = createInterface(stdout)[Symbol.asyncIterator]();
  const until = async (person: string): Promise<void> => {
    while (!told.some((one) => one.view === 'outcomes' && one.person.startsWith(person)))
      told.push(JSON.parse((await lines.next()).value));
  };
  await until('ada');
  await store(busySession(await issuer.login('bob')));
  await until('bob');
  const all = await events('json');
  while (told.length < all.length) told.push(JSON.parse((await lines.next()).value));
  // the collector has gone
  stdout.destroy();
  t.equal(await over, 0);
  const names = told.map((one) => JSON.stringify([one.view, one.person, one.n]));
  t.equal(new Set(names).size, all.length, 'everything, and nothing twice');
  t.strictSame(await events('json', { cursor: 'siem.cursor' }), []);
});

test('Parquet files by day, and a report in which texts are texts', async (t) => {
  const { run, root, store } = worldOf(t);
  const agent = `<img src=x onerror=alert(1)> [x](http://evil) | **b** \u001b[2J`;
  await store(busySession(await issuer.login('ada'), { open: { agent } }));
  const missing = record(await issuer.login('bob'));
  const { sid, size, head } = missing;
  await store(record(missing.credential.login, { previous: { sid, size, head }, at: Date.now() }));
  t.equal((await run(exported, [], { ...withKeys, parquet: 'files' })).code, 0);
  const day = new Date().toISOString().slice(0, 10);
  for (const view of ['sessions', 'statements', 'grants']) {
    const file = join(root, 'files', view, `day=${day}`, 'data_0.parquet');
    t.ok(existsSync(file), view);
    t.equal(readFileSync(file).subarray(0, 4).toString(), 'PAR1');
  }
  await t.rejects(
    run(exported, [], { ...withKeys, parquet: 'files' }),
    { code: 'output-failed' },
    'a folder that is there',
  );

  const today = { ...withKeys, day: dayOf(Date.now()) };
  const markdown = (await run(report, [], today)).out;
  for (const title of ['People', 'Agents', 'Denied', 'Mass changes', 'Data that was seen unmasked'])
    t.match(markdown, `## ${title}`);
  t.match(markdown, /\| failure \| session-missing \|/);
  t.match(markdown, /not on a Friday/);
  t.notMatch(markdown, /<img|\[x\]\(|[^\\]\*\*b|:\/\/evil/);
  const page = (await run(report, [], { ...today, format: 'html' })).out;
  t.match(page, /Content-Security-Policy" content="default-src 'none'/);
  t.match(page, '&#60;img src=x onerror=alert(1)&#62;');
  t.notMatch(page, /<img|<script/);
  t.notOk([markdown, page].some((text) => text.includes('\u001b')));
  t.match((await run(report, [], { ...withKeys, day: '2001-02-03' })).out, /Nothing was denied/);
});

test('external tables: each engine has each view, with each column that a line has', async (t) => {
  const { run } = worldOf(t);
  for (const engine of engineNames) {
    const bucket = engine === 'clickhouse' ? 'file:./bucket' : 's3://audit/dbguard';
    const { out } = await run(ddl, [engine], { bucket });
    t.match(out, '-- NOT VERIFIED');
    for (const view of entryViewNames) {
      const text = out.slice(out.indexOf(`dbguard_${view} AS`));
      for (const { name, from } of entryViews[view].columns) {
        if (!('reading' in from)) t.match(text, new RegExp(`AS ["\`]${name}["\`]`), `${engine} ${view}.${name}`);
      }
    }
    t.notMatch(out, /undefined|\[object/);
  }
  t.match(
    (await run(ddl, ['athena'], { bucket: 's3://audit/dbguard' })).out,
    /org\.apache\.hive\.hcatalog\.data\.JsonSerDe/,
  );
  await t.rejects(run(ddl, ['athena'], { bucket: 'file:./x' }), { code: 'usage' });
  await t.rejects(run(ddl, ['oracle'], {}), { code: 'usage' });
});
