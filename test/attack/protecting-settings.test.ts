/** Settings by which the database lets rows through, or not: whoever sets them reads the rows of somebody else. */
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { no, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const tenants = `
  CREATE TABLE notes (id int PRIMARY KEY, tenant int, text text);
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON notes USING (tenant = current_setting('app.current_tenant')::int);
  CREATE FUNCTION other.uid() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT current_setting('request.jwt.claims', true)::json ->> 'sub' $$;
  CREATE FUNCTION other.who() RETURNS text LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN CURRENT_SETTING( 'app.User_Id' ); END $$;
  CREATE FUNCTION other.all_notes() RETURNS SETOF notes LANGUAGE sql SET app.current_tenant = '2' AS 'SELECT * FROM notes';
  CREATE FUNCTION other.all_again() RETURNS SETOF notes LANGUAGE plpgsql SET "App.Current_Tenant" = '2' SET work_mem = '8MB'
    AS 'BEGIN RETURN QUERY SELECT * FROM notes; END';
  CREATE PROCEDURE other.unchecked() LANGUAGE sql SET session_replication_role = replica AS 'UPDATE notes SET text = text WHERE id = 1';
  CREATE FUNCTION other.slowly() RETURNS bigint LANGUAGE sql SET app.trace = 'x' SET search_path = public AS 'SELECT count(*) FROM notes';
  CREATE VIEW mine AS SELECT * FROM notes WHERE text = current_setting('shop.owner', true);
  CREATE DOMAIN ours AS text CHECK (value <> current_setting('shop.abroad', true));
  CREATE MATERIALIZED VIEW kept AS SELECT current_setting('shop.kept', true) AS kept;
  CREATE FUNCTION other.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT pg_catalog.current_setting($1, true) $$;
  CREATE TABLE made (id int DEFAULT nullif(current_setting('shop.oldest', true), '')::int, who text DEFAULT other.current_setting('shop.by'),
    CHECK (id > 0 OR current_setting('shop.checks', true) = 'off'));`;

const world = (t: Test) => startAttendedProxy(t, server, tenants, { catalogPollMs: 60_000 });

t.test('what policies, functions and views read is asked about, however it is set', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  const sets = [
    'SET app.current_tenant = 2',
    "SET LOCAL app.current_tenant TO '2'",
    'SET SESSION "app.current_tenant" = 2',
    "SELECT set_config('app.current_tenant', '2', false)",
    "SELECT set_config('APP.Current_Tenant', '2', true)",
    `SELECT set_config('request.jwt.claims', '{"sub":"1"}', true)`,
    "SET app.user_id = '1'",
    "SET shop.owner = 'x'",
    ...['abroad', 'kept', 'oldest', 'by', 'checks'].map((name) => `SET shop.${name} = 'x'`),
    "DO $$ BEGIN PERFORM set_config('app.current_tenant', '3', false); END $$",
    'SELECT * FROM other.all_notes()',
    'SELECT count(*) FROM other.all_again()',
  ];
  for (const [index, sql] of sets.entries()) {
    const running = client.query(sql).catch(({ code }) => code);
    const { preview } = await person.sees(index + 1);
    t.match(preview.why, /by which policies, views or functions of the database decide/, sql);
    person.says(no);
    t.equal(await running, '42501', sql);
  }
  const values = client.query("SELECT set_config('app.current_tenant', $1, false)", ['2']).catch(({ code }) => code);
  await person.sees(sets.length + 1);
  person.says(no);
  t.equal(await values, '42501');
});

t.test('a procedure that switches triggers off while it runs', async (t) => {
  const { person, connect } = await world(t);
  const running = (await connect()).query('CALL other.unchecked()').catch(({ code }) => code);
  t.match((await person.sees(1)).preview.why, /trigger/i);
  person.says(no);
  t.equal(await running, '42501');
});

t.test('others pass', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  for (const sql of [
    'SET app.request_id = 7',
    "SELECT set_config('app.trace', 'x', true)",
    'RESET app.current_tenant',
    'SELECT other.slowly()',
    'SET application_name = x',
  ])
    await client.query(sql);
  t.equal(person.shown.length, 0);
});
