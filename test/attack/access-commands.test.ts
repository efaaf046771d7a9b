/**
 * Commands beside those about rows, as a role: tables and what belongs to them, COPY, and what the server takes in no
 * transaction. Whatever it is and however it ends, the role is gone before anything else, what was made belongs to the
 * role, and the client hears what a login hears that may do it itself.
 */
import t, { type Test } from 'tap';
import {
  type PostgresVersion,
  postgresAvailable,
  startPostgres,
  type TestPostgres,
  testedVersions,
} from '../helpers/postgres.js';
import { Client } from '../helpers/wire-client.js';
import { copyData, copyDone, copyFail, query, sync } from '../helpers/wire-messages.js';
import {
  alike,
  dialogue,
  direct,
  protocols,
  type Sent,
  type Transaction,
  transactions,
  whoSql,
} from './access-dialogue.js';
import { roles, startAccessProxy } from './access-stage.js';
import { once, type Person } from './attended-proxy.js';

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
  /** Default: 13. */
  readonly since?: PostgresVersion;
}

const cases: readonly Case[] = [
  { sql: 'CREATE TABLE made (id int PRIMARY KEY)', undo: 'DROP TABLE IF EXISTS made' },
  { sql: 'CREATE TABLE IF NOT EXISTS orders (id int)' },
  { sql: 'CREATE TABLE orders (id int)' },
  { sql: 'CREATE SEQUENCE IF NOT EXISTS numbers' },
  { sql: 'CREATE TABLE IF NOT EXISTS made (id int)', undo: 'DROP TABLE IF EXISTS made' },
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
  { sql: 'REINDEX TABLE parts', since: 14 },
  { sql: 'CLUSTER gone USING gone_pkey' },
  { sql: 'REFRESH MATERIALIZED VIEW shown' },
  {
    sql: 'ALTER TABLE parts DETACH PARTITION parts1 CONCURRENTLY',
    since: 14,
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
    since: 15,
    sql: "MERGE INTO gone USING orders ON gone.id = orders.id AND orders.id < 3 WHEN MATCHED THEN UPDATE SET note = 'm'",
  },
];

const ways = { simple: protocols.simple, extended: protocols.extended, 'a named portal': protocols['a named portal'] };

/** Of a COPY FROM its client sends the data once the server wants it. */
async function hears(client: Client, { bytes }: Sent, copies?: readonly Buffer[]): Promise<string> {
  if (copies === undefined) return dialogue(client, bytes);
  return dialogue(client, bytes, 1, async () => {
    const from = client.heard.length;
    while (!client.heard.slice(from).some(({ type }) => type === 'G' || type === 'Z'))
      await new Promise((resolve) => setTimeout(resolve, 2));
    if (client.heard.slice(from).some(({ type }) => type === 'G'))
      await client.send(Buffer.concat(bytes.includes('S\0\0\0\x04') ? [...copies, sync()] : copies));
  });
}

/** Every pair has its turn with some of the cases, and every case outside of a transaction. */
function combinations(version: PostgresVersion, index: number): (readonly [transaction: string, protocol: string])[] {
  const protocol = (at: number) => Object.keys(ways)[(index + at) % 3] ?? '';
  const transaction = (at: number) => Object.keys(transactions)[at] ?? '';
  if (version !== 18) return [[transaction(index % 3), protocol(0)]];
  return [
    [transaction(0), protocol(1)],
    [transaction(0), protocol(2)],
    [transaction(1 + (index % 2)), protocol(Math.floor(index / 2))],
  ];
}

for (const version of testedVersions()) {
  t.test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) }, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    await server.query(roles);
    await server.query(owners);
    const { person, raw, harness } = await startAccessProxy(t, server, yaml, {}, ownership);
    const admin = await superuser(t, server);
    const [client, reference] = [await raw(), await direct(t, server)];
    for (const [index, { sql, undo, copies, since = 13 }] of cases.entries()) {
      if (version < since) continue;
      for (const [transaction, protocol] of combinations(version, index)) {
        const name = `${sql}, ${transaction}, ${protocol}`;
        const sent = (ways[protocol as keyof typeof ways] ?? protocols.simple)(sql);
        const asked = person.shown.length;
        for (const one of transactions[transaction as Transaction]) await dialogue(client, query(one));
        const answering = answered(person, asked);
        const answer = await hears(client, sent, copies);
        answering.stop();
        t.match(await dialogue(client, query(whoSql)), /i am shop_client shop_client none|C25P02/, name);
        await dialogue(client, query('ROLLBACK'));
        t.match(await dialogue(client, query(`${whoSql}; SELECT word FROM secrets`)), /client none[\s\S]*C42501/, name);
        const owned = "SELECT FROM pg_class WHERE relname LIKE 'made%' AND relowner <> 'shop_owner'::regrole";
        t.match(await dialogue(admin, query(owned)), /CSELECT 0/, `${name}: what is made belongs to the role`);
        if (undo) await dialogue(admin, query(undo));
        for (const one of transactions[transaction as Transaction]) await dialogue(reference, query(one));
        t.equal(alike(answer), alike(await hears(reference, sent, copies)), name);
        await dialogue(reference, query('ROLLBACK'));
        if (undo) await dialogue(admin, query(undo));
      }
    }
    const ran = harness.recorder.of('outcome').filter(({ role }) => role !== undefined);
    t.equal(ran.length, harness.recorder.of('grant').length);
    t.ok(ran.length > cases.length / 2);
  });
}

async function superuser(t: Test, server: TestPostgres): Promise<Client> {
  const login = { user: server.superuser, password: server.password, database: 'postgres' };
  const client = await Client.open({ host: '127.0.0.1', port: server.port, ...login });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}

/** Whatever is asked about from now on is approved, if anything is. */
function answered(person: Person, seen: number): { readonly stop: () => void } {
  const timer = setInterval(() => {
    if (person.shown.length <= seen) return;
    seen++;
    person.says(once);
  }, 1);
  return { stop: () => clearInterval(timer) };
}
