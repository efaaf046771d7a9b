/**
 * Statements that were written without a look at the analyser, each sent through the proxy as a client sends it: the
 * judgement of the text, the catalog, the planner in the session and the watched run decide together.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { no, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const read = (file: string): string => readFileSync(new URL(`live/${file}`, import.meta.url), 'utf8');

/** They run only outside of a transaction. */
const alone =
  /^(?:BEGIN|START|VACUUM|DISCARD|ALTER SYSTEM|REINDEX|CLUSTER|(?:CREATE|DROP|ALTER) DATABASE|CREATE SUBSC|.* CONCURRENTLY)/;

async function play(t: Test, world: string, file: string, each: (sql: string, asked: boolean, code: string) => void) {
  const { person, connect } = await startAttendedProxy(t, server, read(`${world}/schema.sql`), {
    catalogPollMs: 60_000,
  });
  person.present = async (pending) => {
    person.shown.push(pending);
    return no;
  };
  for (const sql of read(`${world}/${file}`).trim().split('\n')) {
    const before = person.shown.length;
    const client = await connect();
    if (!alone.test(sql)) await client.query('BEGIN');
    const code = await client.query(sql).then(
      () => 'ran',
      (error) => String(error.code),
    );
    each(sql, person.shown.length > before, code);
    // what was open is rolled back
    await client.end();
  }
}

/** Nobody may; or the server has no such table. */
const isRefused = (code: string): boolean => code === '42501' || code === '42P01';

for (const world of ['town', 'clinic', 'billing']) {
  t.test(`${world}: what is dangerous is asked about, or refused`, (t) =>
    play(t, world, 'dangerous.sql', (sql, asked, code) => t.ok(asked || isRefused(code), `${code}: ${sql}`)),
  );

  t.test(`${world}: what is ordinary is not`, (t) =>
    play(t, world, 'ordinary.sql', (sql, asked, code) => t.notOk(asked || code === '42501', `${code}: ${sql}`)),
  );
}
