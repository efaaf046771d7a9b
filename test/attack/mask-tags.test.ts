/** Masks that stand in the database count, with no file that names a column; and an agent does not get rid of them. */
import t, { type Test } from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { Mask } from '../../src/policy/mask-kinds.js';
import { maskOfTag } from '../../src/policy/mask-tags.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { no, once, startAttendedProxy } from './attended-proxy.js';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, email text, ssn text, phone text, note text);
  INSERT INTO people VALUES (1, 'CANARY@mail.test', 'CANARY-8137-LAST', 'CANARY-555', 'fine');
  CREATE TABLE plain (id int, note text);
  CREATE VIEW mails AS SELECT id, email AS mail FROM people;
  COMMENT ON COLUMN people.email IS 'Where to write. dbguard:mask=email; reviewed in May';
  COMMENT ON COLUMN people.ssn IS 'dbguard:mask=partial';
  COMMENT ON COLUMN people.note IS 'free text, dbguard:mask=none';
  INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label) VALUES
    ('people'::regclass, 'pg_class'::regclass, 4, 'anon', 'MASKED WITH FUNCTION anon.partial(phone,1,$$***$$,2)');`;

const audience = {
  subject: 'dev@example.test',
  groups: undefined,
  environments: ['development' as const],
  connection: 'test',
  agent: 'agent',
};

let server: TestPostgres;
t.before(async () => {
  server = await startPostgres({ auth: 'trust' });
});
t.teardown(() => server.stop());

const everything = compilePolicy([
  { level: 'user', config: parseConfig('version: 1\npolicy: { profile: observe }', 'user.yaml') },
]);

function world(t: Test, sql = setup) {
  return startAttendedProxy(t, server, sql, { policy: everything, masked: { config: combineConfigs([]), audience } });
}

const masked = [
  { id: 1, email: /^user-[0-9a-f]+@masked\.invalid$/, ssn: '************LAST', phone: 'C*******55', note: 'fine' },
];

t.test('comments and labels are masks', async (t) => {
  const { connect } = await world(t);
  const client = await connect();
  t.match((await client.query('SELECT * FROM people')).rows, masked);
  t.match((await client.query({ text: 'SELECT * FROM people WHERE id = $1', values: [1] })).rows, masked);
  t.match((await client.query('SELECT mail FROM mails')).rows, [{ mail: /masked\.invalid$/ }]);
  await t.rejects(client.query('CREATE TABLE copied AS SELECT ssn FROM people'), /masked columns/);
});

t.test('where nothing is tagged nothing is masked', async (t) => {
  const { connect } = await world(
    t,
    'CREATE TABLE calm (id int, email text); INSERT INTO calm VALUES (1, $$a@b.test$$)',
  );
  t.strictSame((await (await connect()).query('SELECT * FROM calm')).rows, [{ id: 1, email: 'a@b.test' }]);
});

t.test('to take a tag away a person is asked, and it stays in force for the run', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  t.match((await client.query('SELECT * FROM people')).rows, masked);
  const ways = [
    'COMMENT ON COLUMN people.ssn IS NULL',
    "COMMENT ON COLUMN public.people.ssn IS 'dbguard:mask=none'",
    'SECURITY LABEL FOR anon ON COLUMN people.phone IS NULL',
    "DELETE FROM pg_seclabel WHERE provider = 'anon'",
    "UPDATE pg_description SET description = 'x' WHERE classoid = 'pg_class'::regclass",
  ];
  for (const [at, sql] of ways.entries()) {
    const running = client.query(sql).catch(() => undefined);
    t.match((await person.sees(at + 1)).request.ruling.reason, 'a column is masked', sql);
    person.says(at === 1 ? once : no);
    await running;
    t.match((await client.query('SELECT * FROM people')).rows, masked, sql);
  }
  await client.query("COMMENT ON TABLE people IS 'no question about a table'");
  await client.query(`DO $$ BEGIN EXECUTE 'COMMENT ON COLUMN people.' || 'ssn IS NULL'; END $$`).catch(() => undefined);
  t.match((await (await connect()).query('SELECT * FROM people')).rows, masked, 'behind dynamic SQL');
});

t.test('a tag that is not understood hides everything', async (t) => {
  const kinds: readonly (readonly [string, Mask | undefined])[] = [
    ['dbguard:mask=none', undefined],
    ['dbguard:mask=null', { kind: 'null' }],
    ['dbguard:mask=partial keep=2', { kind: 'partial', first: 0, last: 2 }],
    ['x; dbguard:mask=hash; y', { kind: 'hash', joins: 'session' }],
    ['dbguard:mask=date', { kind: 'date', keep: 'year' }],
    ['dbguard:mask=fixed value="a, b"', { kind: 'fixed', value: 'a, b' }],
    ['dbguard:mask=', { kind: 'null' }],
    ['dbguard:mask=partail', { kind: 'null' }],
    ['dbguard:mask=partial keep=lots', { kind: 'null' }],
    ['dbguard:mask=partial when={}', { kind: 'null' }],
    ['dbguard:mask=email}, with: {', { kind: 'null' }],
  ];
  for (const [text, mask] of kinds) t.same(maskOfTag({ in: 'comment', text })?.mask, mask, text);
  const labels: readonly (readonly [string, Mask | undefined])[] = [
    ['NOT MASKED', undefined],
    ['MASKED WITH VALUE NULL', { kind: 'null' }],
    ["MASKED WITH VALUE 'it''s'", { kind: 'fixed', value: "it's" }],
    ['MASKED WITH FUNCTION anon.fake_email()', { kind: 'email', keep: 'nothing' }],
    ['MASKED WITH FUNCTION anon.partial(name, 2, $$,***,$$, 0)', { kind: 'partial', first: 2, last: 0 }],
    ['MASKED WITH FUNCTION anon.hash(name)', { kind: 'hash', joins: 'session' }],
    ['MASKED WITH FUNCTION anon.noise(pay, 0.2)', { kind: 'null' }],
    ['MASKED WITH something new', { kind: 'null' }],
  ];
  for (const [text, mask] of labels) t.same(maskOfTag({ in: 'label', text })?.mask, mask, text);
});
