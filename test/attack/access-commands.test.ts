/**
 * Commands beside those about rows, as a role: tables and what belongs to them, COPY, and what the server takes in no
 * transaction. Whatever it is and however it ends, the role is gone before anything else, what was made belongs to the
 * role, and the client hears what a login hears that may do it itself.
 */
import t, { type Test } from 'tap';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { Client, type Heard } from '../helpers/wire-client.js';
import { bind, copyData, copyDone, copyFail, execute, parse, query, run, sync } from '../helpers/wire-messages.js';
import { roles, startAccessProxy } from './access-stage.js';
import { once } from './attended-proxy.js';

const yaml = `version: 1
access:
  - name: keep-house
    role: shop_owner
    tables: [orders, made*, gone*, parts*, 'other.made*', shown, numbers]
    effects: [read, insert, update, delete, truncate, create, alter, drop, maintenance]
    then: ask
`;

const owners = `
  CREATE ROLE shop_owner NOLOGIN;
  GRANT shop_owner TO shop_client, shop_direct`;

/** Everything but the orders belongs to nobody else's code. */
const ownership = [
  'GRANT USAGE, CREATE ON SCHEMA public TO shop_owner',
  'REVOKE CREATE ON SCHEMA other FROM shop_client',
  'DROP TRIGGER audited ON orders; DROP TRIGGER told ON orders',
  'ALTER TABLE later DROP CONSTRAINT later_of_fkey',
  `CREATE TABLE gone (id int PRIMARY KEY, note text); CREATE INDEX gone_note ON gone (note);
   CREATE TABLE parts (id int, note text) PARTITION BY LIST (id); CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
   CREATE TABLE parts2 (id int, note text);
   CREATE MATERIALIZED VIEW shown AS SELECT id FROM gone; CREATE SEQUENCE numbers`,
  `ALTER TABLE orders OWNER TO shop_owner; ALTER TABLE gone OWNER TO shop_owner; ALTER TABLE parts OWNER TO shop_owner;
   ALTER TABLE parts1 OWNER TO shop_owner; ALTER TABLE parts2 OWNER TO shop_owner;
   ALTER MATERIALIZED VIEW shown OWNER TO shop_owner; ALTER SEQUENCE numbers OWNER TO shop_owner`,
  'GRANT SELECT ON orders TO shop_client',
];

/** `undo` runs as the superuser between two times. */
interface Case {
  readonly sql: string;
  readonly undo?: string;
  /** Sent once the server wants data. */
  readonly copies?: readonly Buffer[];
}

const cases: readonly Case[] = [
  { sql: 'CREATE TABLE made (id int PRIMARY KEY)', undo: 'DROP TABLE IF EXISTS made' },
  { sql: 'CREATE TABLE made AS SELECT id FROM orders WHERE id < 3', undo: 'DROP TABLE IF EXISTS made' },
  { sql: 'CREATE INDEX made_index ON orders (note)', undo: 'DROP INDEX IF EXISTS made_index' },
  { sql: 'CREATE INDEX CONCURRENTLY made_index ON orders (note)', undo: 'DROP INDEX IF EXISTS made_index' },
  { sql: 'CREATE UNIQUE INDEX CONCURRENTLY made_index ON orders (note)', undo: 'DROP INDEX IF EXISTS made_index' },
  { sql: 'CREATE SEQUENCE made_numbers', undo: 'DROP SEQUENCE IF EXISTS made_numbers' },
  { sql: 'ALTER TABLE orders ADD COLUMN more int DEFAULT 7', undo: 'ALTER TABLE orders DROP COLUMN IF EXISTS more' },
  { sql: 'ALTER TABLE orders ALTER COLUMN note SET NOT NULL', undo: 'ALTER TABLE orders ALTER note DROP NOT NULL' },
  { sql: 'ALTER TABLE orders ALTER COLUMN nothing SET NOT NULL' },
  { sql: 'ALTER TABLE gone RENAME TO gone2', undo: 'ALTER TABLE IF EXISTS gone2 RENAME TO gone' },
  { sql: 'ALTER SEQUENCE numbers RESTART WITH 5' },
  { sql: "COMMENT ON TABLE orders IS 'theirs'" },
  { sql: 'DROP INDEX gone_note', undo: 'CREATE INDEX IF NOT EXISTS gone_note ON gone (note)' },
  { sql: 'DROP INDEX CONCURRENTLY gone_note', undo: 'CREATE INDEX IF NOT EXISTS gone_note ON gone (note)' },
  { sql: 'TRUNCATE gone' },
  { sql: 'VACUUM orders' },
  { sql: 'VACUUM (ANALYZE) orders, gone' },
  { sql: 'VACUUM FULL gone' },
  { sql: 'ANALYZE orders' },
  { sql: 'REINDEX TABLE orders' },
  { sql: 'REINDEX TABLE CONCURRENTLY orders' },
  { sql: 'REINDEX INDEX gone_note' },
  { sql: 'REINDEX TABLE parts' },
  { sql: 'CLUSTER gone USING gone_pkey' },
  { sql: 'REFRESH MATERIALIZED VIEW shown' },
  {
    sql: 'ALTER TABLE parts DETACH PARTITION parts1 CONCURRENTLY',
    undo: `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'parts1'::regclass)
      THEN ALTER TABLE parts1 DROP CONSTRAINT IF EXISTS parts1_id_check; ALTER TABLE parts ATTACH PARTITION parts1 FOR VALUES IN (1); END IF; END $$`,
  },
  { sql: 'COPY gone (id, note) FROM STDIN', copies: [copyData('1\ta\n2\tb\n'), copyDone()], undo: 'TRUNCATE gone' },
  { sql: 'COPY gone FROM STDIN', copies: [copyData('1\ta\n1\tb\n'), copyDone()], undo: 'TRUNCATE gone' },
  { sql: 'COPY gone FROM STDIN', copies: [copyData('1\ta\n'), copyFail('enough')], undo: 'TRUNCATE gone' },
  { sql: 'COPY gone FROM STDIN', copies: [copyData('x\n'), copyDone()], undo: 'TRUNCATE gone' },
  { sql: 'COPY gone TO STDOUT' },
  { sql: 'COPY (SELECT id FROM gone) TO STDOUT (FORMAT csv)' },
  {
    sql: "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) UPDATE orders SET note = 'e' WHERE id = 1",
  },
  {
    sql: "MERGE INTO gone USING orders ON gone.id = orders.id AND orders.id < 3 WHEN MATCHED THEN UPDATE SET note = 'm'",
  },
];

const whoSql = `SELECT 'i am ' || session_user || ' ' || current_user || ' ' || current_setting('role')`;
const protocols: Readonly<Record<string, (sql: string) => Buffer>> = {
  simple: query,
  extended: (sql) => Buffer.concat([run(sql), sync()]),
  'a named portal': (sql) =>
    Buffer.concat([parse(sql, { name: 's' }), bind([], { portal: 'p', statement: 's' }), execute('p'), sync()]),
};
const transactions: Readonly<Record<string, readonly string[]>> = {
  idle: [],
  block: ['BEGIN'],
  savepoint: ['BEGIN', 'SAVEPOINT mine'],
};

const texts = (heard: readonly Heard[]): string =>
  heard
    .filter(({ type, body }) => type !== 'N' || !body.includes('dbguard: waiting'))
    .map(({ type, body }) => `${type}${body.toString('latin1')}`)
    .join('\n');

/** The login is another one; so are OIDs, and the server's source lines. */
const alike = (text: string): string => text.replaceAll(/shop_(direct|owner)/g, 'shop_client');

async function direct(t: Test, port: number): Promise<Client> {
  const client = await Client.open({
    host: '127.0.0.1',
    ...{ port, user: 'shop_direct', password: 'direct', database: 'postgres' },
  });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}

async function hears(client: Client, bytes: Buffer, copies?: readonly Buffer[]): Promise<string> {
  const from = client.heard.length;
  await client.send(bytes);
  if (copies) {
    while (!client.heard.slice(from).some(({ type }) => type === 'G' || type === 'Z'))
      await new Promise((resolve) => setTimeout(resolve, 2));
    if (client.heard.slice(from).some(({ type }) => type === 'G'))
      await client.send(Buffer.concat(bytes.includes('S\0\0\0\x04') ? [...copies, sync()] : copies));
  }
  await client.hears('Z', 1);
  return texts(client.heard.slice(from));
}

/** Every pair has its turn with some of the cases, and every case outside of a transaction. */
function combinations(version: PostgresVersion, index: number): (readonly [transaction: string, protocol: string])[] {
  const protocol = (at: number) => Object.keys(protocols)[(index + at) % 3] ?? '';
  const transaction = (at: number) => Object.keys(transactions)[at] ?? '';
  if (version === 15) return [[transaction(index % 3), protocol(0)]];
  return [
    [transaction(0), protocol(1)],
    [transaction(0), protocol(2)],
    [transaction(1 + (index % 2)), protocol(Math.floor(index / 2))],
  ];
}

for (const version of [15, 18] as const satisfies readonly PostgresVersion[]) {
  t.test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) }, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    await server.query(roles);
    await server.query(owners);
    const { person, raw, harness } = await startAccessProxy(t, server, yaml);
    for (const sql of ownership) await server.query(sql);
    let answering = true;
    void (async () => {
      for (let seen = 0; answering; ) {
        if (person.shown.length > seen) {
          person.says(once);
          seen++;
        } else await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    t.teardown(() => {
      answering = false;
    });
    for (const [index, { sql, undo, copies }] of cases.entries()) {
      for (const [transaction, protocol] of combinations(version, index)) {
        const name = `${sql}, ${transaction}, ${protocol}`;
        const answers: string[] = [];
        for (const open of [raw, () => direct(t, server.port)]) {
          const client = await open();
          for (const one of transactions[transaction] ?? []) await hears(client, query(one));
          answers.push(alike(await hears(client, (protocols[protocol] ?? query)(sql), copies)));
          if (open === raw) {
            const inside = await hears(client, query(whoSql));
            t.match(inside, /i am shop_client shop_client none|C25P02/, name);
            await hears(client, query(transaction === 'idle' ? 'SELECT 1' : 'ROLLBACK'));
            t.match(await hears(client, query(whoSql)), /i am shop_client shop_client none/, name);
            t.match(await hears(client, query('SELECT word FROM secrets')), /C42501/, name);
          }
          await client.hangUp();
          if (open === raw) {
            const owned = "SELECT FROM pg_class WHERE relname LIKE 'made%' AND relowner <> 'shop_owner'::regrole";
            t.same(await server.query(owned), [], `${name}: what is made belongs to the role`);
          }
          if (undo) await server.query(undo);
        }
        t.equal(answers[0], answers[1], name);
      }
    }
    const ran = harness.recorder.of('outcome').filter(({ role }) => role !== undefined);
    t.equal(ran.length, harness.recorder.of('grant').length);
    t.ok(ran.length > cases.length / 2);
  });
}
