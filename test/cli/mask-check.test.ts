import t from 'tap';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { runCommand } from './run-command.js';

const schema = `
  CREATE TABLE customers (
    id int PRIMARY KEY, name text, ssn text, email text, age int,
    ssn_tail text GENERATED ALWAYS AS (right(ssn, 4)) STORED);
  CREATE TABLE log (line text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.ssn); RETURN NEW; END $$;
  CREATE TRIGGER note AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION note();
  CREATE VIEW contacts AS SELECT name, email AS mail, lower(ssn) AS low FROM customers;
  CREATE FUNCTION ssn_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers WHERE id = $1';
  CREATE FUNCTION keep() RETURNS void LANGUAGE sql AS 'CREATE TABLE kept AS SELECT ssn FROM customers; SELECT';
  CREATE FUNCTION dynamic(text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE $1 INTO r; RETURN r; END $$;
  CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM log';
  INSERT INTO customers VALUES (1, 'Ada', 'QZXW-8137-LAST', 'a@secretmail.test', 33);`;

let server: TestPostgres;
t.before(async () => {
  server = await startPostgres({ auth: 'trust' });
  await server.query(schema);
});
t.teardown(() => server.stop());

async function check(mask: string, args: readonly string[] = [], terminal?: number) {
  const given = terminal === undefined ? {} : { terminal };
  const cwd = t.testdir({
    'own.yaml': `version: 1\nconnections: { main: { url: "${server.url()}" } }\n${mask}\n`,
  });
  const env = { DBGUARD_HOME: `${cwd}/home` };
  return runCommand('mask check', ['--config', `${cwd}/own.yaml`, ...args], { cwd, env, ...given });
}

const masks = `mask:
  - { column: customers.ssn, with: partial, keep: 4 }
  - { column: public.customers.email, with: email }
  - { column: customers.age, with: email }`;

t.test('what is masked, what is made of it, which code leaks or cannot be followed', async (t) => {
  const { code, stdout } = await check(masks, ['--json']);
  t.equal(code, 0);
  const found = JSON.parse(stdout);
  const sees = Object.fromEntries(found.columns.map((one: Record<string, string>) => [one.column, one]));
  t.match(sees['public.customers.ssn'], { with: 'partial', sees: 'the length, the last 4' });
  t.match(sees['public.customers.age'], { sees: 'NULL: email has no form for its type' });
  t.match(sees['public.customers.ssn_tail'], { with: 'null', by: /generated column public.customers.ssn_tail/ });
  t.match(sees['public.log.line'], { with: 'null', by: /trigger function public.note/ });
  t.equal(sees['public.customers.name'], undefined);
  t.match(found.views, [
    { column: 'public.contacts.mail', with: 'email', by: 'public.customers.email' },
    { column: 'public.contacts.low', sees: 'NULL' },
  ]);
  const functions = Object.fromEntries(found.functions.map((one: Record<string, string>) => [one.function, one.sees]));
  t.match(functions, {
    'public.ssn_of': 'NULL: returns public.customers.ssn',
    'public.keep': 'would write masked values: denied',
    'public.dynamic': /cannot be followed/,
  });
  t.strictSame(Object.keys(functions).sort(), ['public.dynamic', 'public.keep', 'public.ssn_of']);
  t.notMatch(stdout, /QZXW|secretmail/, 'no value');
});

t.test('a name that matches nothing fails, with the name that was meant', async (t) => {
  const { code, stdout } = await check(
    `${masks}\n  - { column: customers.emial, with: null }\nunmask: [{ column: clients.ssn, for: 5m }]`,
  );
  t.equal(code, 1);
  t.match(stdout, /own\.yaml:7: customers\.emial: did you mean "customers\.email"\?/);
  t.match(stdout, /own\.yaml:8: clients\.ssn/);
  t.match(stdout, /2 names without a column\n$/);
});

t.test('80 columns are enough, and a mask for others is left out', async (t) => {
  const { code, stdout } = await check(
    'mask:\n  - { column: customers.ssn, with: null, when: { subject: "*@contractor.test" } }\n  - { column: customers.email, with: hash }',
    ['--subject', 'ada@example.test'],
    80,
  );
  t.equal(code, 0);
  t.notMatch(stdout, /customers\.ssn /);
  t.match(stdout, /1 column masked; every name matches\n$/);
  for (const line of stdout.split('\n')) t.ok(line.length <= 80 + 20, line);
});

t.test('a tag in the database counts without any file', async (t) => {
  await server.query("COMMENT ON COLUMN customers.name IS 'dbguard:mask=hash'");
  const { stdout } = await check('mask: []', ['--json']);
  await server.query('COMMENT ON COLUMN customers.name IS NULL');
  t.match(JSON.parse(stdout).columns, [
    { column: 'public.customers.name', with: 'hash', by: 'a tag in the database', sees: /equal/ },
  ]);
});

t.test('nothing masked is said, not passed over', async (t) => {
  await t.rejects(check('mask: []'), { code: 'config-missing', message: 'no file masks anything' });
});
