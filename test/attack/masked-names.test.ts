/**
 * Ways to make a name mean a masked column after the mask was planned: DDL and settings in the same text, in an open
 * transaction, behind a prepared statement, in what the client asks for at startup.
 */
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

const server = await startPostgres({ version: 15 });
t.teardown(() => server.stop());
await server.query(`
  CREATE SCHEMA o;
  CREATE TABLE customers (id int, name text, ssn text);
  INSERT INTO customers VALUES (1, 'clean', 'qzxw-8137');
  CREATE TABLE people (id int, ssn text);
  INSERT INTO people VALUES (1, 'clean');
  CREATE TABLE o.people (id int, ssn text);
  INSERT INTO o.people VALUES (1, 'qzxw-8137');
  CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers';
`);
const guarded = await startProxyProcess(server, {
  policy: { profile: 'observe' },
  config: {
    mask: [
      { column: 'public.customers.ssn', with: null },
      { column: 'o.people.ssn', with: null },
    ],
  },
});
t.teardown(() => guarded.stop());

const swap = 'ALTER TABLE customers RENAME COLUMN name TO other; ALTER TABLE customers RENAME COLUMN ssn TO name';
const swapBack = 'ALTER TABLE customers RENAME COLUMN name TO ssn; ALTER TABLE customers RENAME COLUMN other TO name';
/** Until the catalog has been read again. */
const wait = 'SELECT pg_sleep(0.4)';

interface Attack {
  readonly what: string;
  readonly texts: readonly string[];
  readonly options?: string;
  readonly after?: string;
}

const attacks: Attack[] = [
  { what: 'renamed in the same text', texts: [`BEGIN; ${swap}; SELECT upper(name) FROM public.customers; ROLLBACK`] },
  { what: 'a path in the same text', texts: ['SET search_path = o; SELECT upper(ssn) FROM people'] },
  { what: 'behind another statement', texts: ['SELECT 1; SET search_path = o; SELECT upper(ssn) FROM people'] },
  {
    what: 'a local path',
    texts: ['BEGIN; SET LOCAL search_path = o; SELECT upper(ssn) FROM people; COMMIT'],
  },
  { what: 'set_config', texts: ["SELECT set_config('search_path', 'o', false); SELECT upper(ssn) FROM people"] },
  {
    what: 'set_config in a condition',
    texts: ["SELECT 1 WHERE set_config('search_path', 'o', false) = 'o'; SELECT upper(ssn) FROM people"],
  },
  {
    what: 'a path that a rollback brings back',
    texts: ['SET search_path = o', 'BEGIN; SET LOCAL search_path = public', 'ROLLBACK; SELECT upper(ssn) FROM people'],
  },
  {
    what: 'prepared, then renamed',
    texts: [wait, 'PREPARE p AS SELECT upper(name) FROM public.customers', swap, wait, 'EXECUTE p'],
    after: swapBack,
  },
  {
    what: 'prepared, then another path',
    texts: ['PREPARE p AS SELECT upper(ssn) FROM people', 'SET search_path = o', 'EXECUTE p'],
  },
  { what: 'a path at startup', texts: ['SELECT upper(ssn) FROM people'], options: '-c search_path=o' },
  {
    what: 'a view of the name of a catalog',
    texts: [
      'CREATE VIEW o.pg_am AS SELECT ssn AS amname FROM public.customers',
      wait,
      'SET search_path = o, pg_catalog',
      'SELECT upper(amname) FROM pg_am',
    ],
    after: 'DROP VIEW o.pg_am',
  },
  {
    what: 'a function of the name of a built-in one',
    texts: [
      "CREATE FUNCTION public.upper(int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers'",
      wait,
      'SELECT upper(1)',
    ],
    after: 'DROP FUNCTION public.upper(int)',
  },
  {
    what: 'an operator of the name of a built-in one',
    texts: [
      "CREATE FUNCTION o.plus(text, int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers'",
      'CREATE OPERATOR public.+ (LEFTARG = text, RIGHTARG = int, FUNCTION = o.plus)',
      wait,
      "SELECT 'x'::text + 1",
    ],
    after: 'DROP OPERATOR public.+ (text, int); DROP FUNCTION o.plus',
  },
  {
    what: 'a cast',
    texts: [
      'CREATE TYPE o.t AS (x int)',
      "CREATE FUNCTION o.as_text(o.t) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers'",
      'CREATE CAST (o.t AS text) WITH FUNCTION o.as_text(o.t)',
      wait,
      'SELECT ROW(1)::o.t::text',
    ],
    after: 'DROP TYPE o.t CASCADE',
  },
];

const secret = 'SELECT ssn FROM public.customers LIMIT 1';
attacks.push(
  {
    what: 'a rule',
    texts: [
      `CREATE RULE r AS ON INSERT TO public.people DO INSTEAD ${secret.replace(' LIMIT 1', '')}`,
      wait,
      "INSERT INTO public.people VALUES (2, 'x')",
    ],
    after: 'DROP RULE r ON public.people',
  },
  {
    what: 'a domain that complains',
    texts: [
      `CREATE FUNCTION o.complain(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''%'', (${secret}); END'`,
      'CREATE DOMAIN o.dom AS text CHECK (o.complain(VALUE))',
      wait,
      "SELECT 'x'::o.dom",
    ],
    after: 'DROP DOMAIN o.dom; DROP FUNCTION o.complain',
  },
  {
    what: 'a notice',
    texts: [
      `CREATE FUNCTION o.tell() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', (${secret}); RETURN 1; END'`,
      wait,
      'SELECT o.tell()',
    ],
    after: 'DROP FUNCTION o.tell',
  },
  {
    what: 'an aggregate of the name of a built-in one',
    texts: [
      `CREATE FUNCTION o.step(text, text) RETURNS text LANGUAGE sql AS '${secret}'`,
      'CREATE AGGREGATE public.string_agg(text) (SFUNC = o.step, STYPE = text)',
      wait,
      "SELECT string_agg(x) FROM (VALUES ('a'), ('b')) v(x)",
    ],
    after: 'DROP AGGREGATE public.string_agg(text); DROP FUNCTION o.step',
  },
);

for (const { what, texts, options, after } of attacks) {
  t.test(what, async (t) => {
    const client = new pg.Client({ connectionString: guarded.url(), ...(options && { options }) });
    client.on('error', () => {});
    await client.connect();
    const heard: string[] = [];
    client.on('notice', ({ message }) => heard.push(message ?? ''));
    for (const text of texts) {
      await client.query({ text, rowMode: 'array' }).then(
        (result) => heard.push(JSON.stringify([result].flat().map(({ rows }) => rows))),
        (error: Error) => heard.push(error.message),
      );
    }
    await client.end();
    t.notMatch(heard.join('\n'), /qzxw/i);
    if (after) await server.query(after);
  });
}
