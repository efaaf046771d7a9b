/** What programs see through the two drivers of Node: node-postgres (`pg`) and porsager's `postgres`. */
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import postgres from 'postgres';
import type { Target } from '../helpers/wire-client.js';

type Say = (what: string, value: unknown) => void;

interface Scene {
  readonly name: string;
  act(url: string, say: Say): Promise<void>;
}

/** Lines that two servers of one version must both give. */
export async function playScene(scene: Scene, { host, port, user, password, database }: Target): Promise<string[]> {
  const lines: string[] = [];
  const url = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  try {
    await scene.act(url, (what, value) => lines.push(`${what}: ${show(value)}`));
  } catch (error) {
    lines.push(`threw ${show(error)}`);
  }
  return lines;
}

function show(value: unknown): string {
  if (value instanceof Error)
    return `${value.name} ${JSON.stringify({ ...value, message: value.message, query: undefined })}`;
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part));
}

async function outcome(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).catch((error: unknown) => error);
}

async function withPg(url: string, act: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await act(client).finally(() => client.end());
}

const types = `SELECT 1::int2 AS a, 2::int8 AS b, 3.50::numeric AS c, 'x'::text AS d, true AS e, now()::date = current_date AS f,
  '{1,2,NULL}'::int[] AS g, '{"k":[1]}'::jsonb AS h, '\\x00ff'::bytea AS i, '2024-02-29 12:00Z'::timestamptz AS j, NULL AS k,
  'NaN'::float8 AS l, '1 day 2 hours'::interval AS m, '(1,2)'::point AS n, '[1,5)'::int4range AS o`;

export const scenes: readonly Scene[] = [
  {
    name: 'pg: types, fields, named statements and arrays',
    act: (url, say) =>
      withPg(url, async (client) => {
        const result = await client.query(types);
        say('rows', result.rows);
        say(
          'fields',
          result.fields.map(({ name, dataTypeID, format }) => [name, dataTypeID, format]),
        );
        for (const n of [1, 2, 3])
          say('named', (await client.query({ name: 'n', text: 'SELECT $1::int * 2 AS n', values: [n] })).rows);
        say('array', (await client.query('SELECT * FROM unnest($1::int[])', [[3, 2, 1]])).rows);
        say('several', (await outcome(client.query('SELECT 1; SELECT 2'))) instanceof Error);
        say(
          'binary',
          (await client.query({ text: 'SELECT $1::bytea AS b', values: [Buffer.alloc(100_000, 7)] })).rows[0].b.length,
        );
      }),
  },
  {
    name: 'pg: errors, and the connection after them',
    act: (url, say) =>
      withPg(url, async (client) => {
        await client.query('CREATE TABLE t (a int PRIMARY KEY CHECK (a < 10))');
        for (const sql of ['SELECT * FROM t WHERE x = 1', 'INSERT INTO t VALUES (11)', 'INSERT INTO t VALUES (1), (1)'])
          say(sql, await outcome(client.query(sql)));
        say('bad value', await outcome(client.query('SELECT $1::int', ['x'])));
        await client.query('BEGIN');
        say('failed', await outcome(client.query('SELECT 1/0')));
        say('aborted', await outcome(client.query('SELECT 1')));
        say('rollback', (await client.query('ROLLBACK')).command);
        say('after', (await client.query('SELECT count(*) FROM t')).rows);
      }),
  },
  {
    name: 'pg: a pool under load, queued queries',
    act: async (url, say) => {
      const pool = new pg.Pool({ connectionString: url, max: 8 });
      const answers = await Promise.all(
        Array.from({ length: 400 }, (_, n) => pool.query('SELECT $1::int AS n, pg_sleep(0)', [n])),
      );
      say(
        'answers',
        answers.map(({ rows }) => rows[0].n),
      );
      await pool.end();
    },
  },
  {
    name: 'pg: notices and notifications',
    act: (url, say) =>
      withPg(url, async (client) => {
        client.on('notice', ({ message, code, severity }) => say('notice', [message, code, severity]));
        await client.query("DO $$ BEGIN RAISE NOTICE 'hello'; END $$; LISTEN c");
        const heard = once(client, 'notification');
        await client.query("NOTIFY c, 'payload'");
        const [{ channel, payload }] = await heard;
        say('notification', [channel, payload]);
      }),
  },
  {
    name: 'postgres: values, fragments, inserts, arrays',
    act: (url, say) =>
      withPostgres(url, async (sql) => {
        say(
          'types',
          (await sql.unsafe(types)).map((row) => ({ ...row, i: undefined })),
        );
        await sql`CREATE TABLE people (id serial PRIMARY KEY, name text, tags text[], extra jsonb)`;
        const people = ['Ada', 'Grace'].map((name) => ({ name, tags: [name, '"q"'], extra: { n: name.length } }));
        say('insert', await sql`INSERT INTO people ${sql(people as never, 'name', 'tags', 'extra')} RETURNING *`);
        say('where', await sql`SELECT name FROM people WHERE name = ANY(${['Ada', 'x']}) ${sql`AND id < ${10}`}`);
        say('update', await sql`UPDATE people SET ${sql({ name: 'Eve' }, 'name')} WHERE id = 1 RETURNING name`);
        say(
          'describe',
          (await sql`SELECT id, name FROM people WHERE id = ${1}`.describe()).columns.map(({ name, type }) => [
            name,
            type,
          ]),
        );
        say('simple', await sql`SELECT 1 AS a; SELECT 2 AS b`.simple());
        say('values', await sql`SELECT 1, 2`.values());
        say('raw', await sql`SELECT 'r' AS r`.raw());
        say('error', await outcome(sql`SELECT * FROM people WHERE id = ${'x'}::int`));
      }),
  },
  {
    name: 'postgres: transactions, savepoints, pipelined queries',
    act: (url, say) =>
      withPostgres(url, async (sql) => {
        await sql`CREATE TABLE t (a int PRIMARY KEY)`;
        const work = sql.begin(async (tx) => {
          await tx`INSERT INTO t VALUES (1)`;
          await tx.savepoint((inner) => inner`INSERT INTO t VALUES (1)`).catch((error) => say('savepoint', error));
          await Promise.all([2, 3, 4, 5].map((n) => tx`INSERT INTO t VALUES (${n})`));
          throw new Error('changed my mind');
        });
        say('transaction', await outcome(work));
        say('nothing', await sql`SELECT * FROM t`);
        say('pipelined', await sql.begin((tx) => [tx`INSERT INTO t VALUES (9)`, tx`SELECT * FROM t`]));
        say(
          'many',
          (await Promise.all(Array.from({ length: 300 }, (_, n) => sql`SELECT ${n}::int AS n`))).map(([row]) => row?.n),
        );
      }),
  },
  {
    name: 'postgres: cursors and forEach',
    act: (url, say) =>
      withPostgres(url, async (sql) => {
        for await (const rows of sql`SELECT generate_series(1, 25) AS n`.cursor(10))
          say(
            'cursor',
            rows.map(({ n }) => n),
          );
        await sql`SELECT generate_series(1, 100) AS n`.cursor(7, (rows) => (rows[0]?.n > 20 ? sql.CLOSE : undefined));
        let sum = 0;
        await sql`SELECT generate_series(1, 5000) AS n`.forEach(({ n }) => {
          sum += n;
        });
        say('sum', sum);
      }),
  },
  {
    name: 'postgres: COPY both ways',
    act: (url, say) =>
      withPostgres(url, async (sql) => {
        await sql`CREATE TABLE c (a int, b text)`;
        const into = await sql`COPY c FROM STDIN`.writable();
        for (let n = 0; n < 20_000; n++) into.write(`${n}\tline ${n}\n`);
        into.end();
        await finished(into);
        say('count', await sql`SELECT count(*)::int, sum(a)::int FROM c`);
        let bytes = 0;
        for await (const chunk of await sql`COPY c TO STDOUT`.readable()) bytes += chunk.length;
        say('bytes', bytes);
      }),
  },
  {
    name: 'postgres: LISTEN, cancel, large objects',
    act: (url, say) =>
      withPostgres(url, async (sql) => {
        const heard = new Promise((resolve) => {
          void sql.listen('news', resolve, () => void sql.notify('news', 'hello'));
        });
        say('heard', await heard);
        const sleeping = sql`SELECT pg_sleep(60)`.execute();
        setTimeout(() => sleeping.cancel(), 200);
        say('cancelled', await outcome(sleeping));
        say('after', await sql`SELECT 1 AS one`);
        await sql.begin(async (tx) => {
          const [row] = await tx`SELECT lo_from_bytea(0, ${Buffer.alloc(300_000, 5)}) AS oid`;
          const [size] = await tx`SELECT length(lo_get(${row?.oid})) AS size`;
          say('large object', size);
        });
      }),
  },
];

async function withPostgres(url: string, act: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 3, onnotice: () => undefined });
  await act(sql).finally(() => sql.end({ timeout: 5 }));
}
