/** A setting that is set to a parameter is judged by what the parameter is bound to, where that is sure. */
import pg from 'pg';
import t from 'tap';
import { parseConfig } from '../../../src/policy/config.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import { startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';
import { Client } from '../../helpers/wire-client.js';
import { bind, execute, parse, sync } from '../../helpers/wire-messages.js';

const server = await startPostgres();
const policy = compilePolicy([{ level: 'user', config: parseConfig('version: 1', 'dbguard.yaml') }]);
const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy });
t.teardown(() => harness.close().finally(() => server.stop()));

const client = new pg.Client({ connectionString: harness.url() });
await client.connect();
t.teardown(() => client.end());

async function asked(sql: string, values: readonly unknown[]): Promise<boolean> {
  const before = harness.requests.length;
  await client.query(sql, [...values]).catch(() => undefined);
  return harness.requests.length > before;
}

t.test('as PostgREST begins each request', async (t) => {
  const request = `SELECT set_config('search_path', $1, true), set_config('request.jwt.claims', $2, true)`;
  t.notOk(await asked(request, ['"public", "extensions"', '{"sub": "ä"}']));
  t.ok(await asked(request, ['pg_temp, pg_catalog', '{}']), 'the same text with another path');
  t.notOk(await asked(request, ['public', '{}']), 'and again');
});

t.test('what is not sure asks', async (t) => {
  t.ok(await asked(`SELECT set_config('role', $1, true)`, ['postgres']), 'whatever the value');
  t.ok(await asked(`SELECT set_config('search_path', $1::name::text, true)`, ['public']), 'a cast');
  t.ok(await asked(`SELECT set_config('search_path', $1 || '', true)`, ['public']), 'an expression');
  t.ok(await asked(`SELECT set_config('search_path', $1, true)`, ['püblic']), 'other bytes than ASCII');
  t.ok(await asked(`SELECT set_config($1, 'public', true)`, ['search_path']), 'a name');
});

t.test('a parameter of a body is not the statement’s', async (t) => {
  await client.query('SELECT 1');
  await server.query(
    `CREATE FUNCTION elsewhere(text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', $1, false) $$`,
  );
  t.ok(await asked(`SELECT elsewhere('pg_temp, pg_catalog'), $1::text`, ['public']));
});

t.test('in binary, and of another type', async (t) => {
  const sql = `SELECT set_config('search_path', $1, true)`;
  const raw = await Client.open(harness.target);
  await raw.logIn();
  const path = Buffer.from('public');
  for (const [types, formats, asks] of [
    [[25], [1], false],
    [[], [1], false],
    [[1043], [0], false],
    [[19], [0], true],
  ] as const) {
    const before = harness.requests.length;
    await raw.send(Buffer.concat([parse(sql, { types }), bind([path], { formats }), execute(), sync()]));
    await raw.hears('Z', 1);
    t.equal(harness.requests.length > before, asks, `type ${types}, format ${formats}`);
  }
  await raw.hangUp();
});
