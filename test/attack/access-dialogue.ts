/** Clients on raw sockets before and behind dbguard, and what they hear: for the attacks on access. */
import type { Test } from 'tap';
import type { TestPostgres } from '../helpers/postgres.js';
import { Client, type Heard } from '../helpers/wire-client.js';
import { bind, execute, parse, query, run, sync } from '../helpers/wire-messages.js';

/** Who the session is, and by which setting. */
export const whoSql = `SELECT 'i am ' || session_user || ' ' || current_user || ' ' || current_setting('role')`;
export const itself = /i am shop_client shop_client none/;

/** What opens the place where a statement stands. */
export const transactions = { idle: [], block: ['BEGIN'], savepoint: ['BEGIN', 'SAVEPOINT mine'] } as const;

export type Transaction = keyof typeof transactions;

export interface Sent {
  readonly bytes: Buffer;
  /** How often the server is ready behind it. */
  readonly readies: number;
}

/** A connection has several, one after another. */
let names = 0;

/** A statement as each protocol sends it; where a question who it is comes behind it before any answer, the server runs that too. */
export const protocols = {
  simple: (sql) => ({ bytes: query(sql), readies: 1 }),
  extended: (sql) => ({ bytes: Buffer.concat([run(sql), sync()]), readies: 1 }),
  'a named portal': (sql) => {
    const name = `s${++names}`;
    const bound = bind([], { portal: name, statement: name });
    return { bytes: Buffer.concat([parse(sql, { name }), bound, execute(name), sync()]), readies: 1 };
  },
  'a pipeline': (sql) => ({ bytes: Buffer.concat([run(sql), run(whoSql), sync()]), readies: 1 }),
  'a pipeline with syncs': (sql) => ({ bytes: Buffer.concat([run(sql), sync(), run(whoSql), sync()]), readies: 2 }),
  'two queries at once': (sql) => ({ bytes: Buffer.concat([query(sql), query(whoSql)]), readies: 2 }),
} satisfies Readonly<Record<string, (sql: string) => Sent>>;

/** Everything that was said, but for what dbguard says of its own. */
export const texts = (heard: readonly Heard[]): string =>
  heard
    .filter(({ type, body }) => type !== 'N' || !body.includes('dbguard: waiting'))
    .map(({ type, body }) => `${type}${body.toString('latin1')}`)
    .join('\n');

/** What it hears until it is ready. */
export async function dialogue(
  client: Client,
  bytes: Buffer,
  readies = 1,
  meanwhile?: () => Promise<void>,
): Promise<string> {
  const from = client.heard.length;
  await client.send(bytes);
  await meanwhile?.();
  await client.hears('Z', readies);
  return texts(client.heard.slice(from));
}

/** A login that may do all of it, without dbguard. */
export async function direct(t: Test, server: Pick<TestPostgres, 'port'>): Promise<Client> {
  const login = { user: 'shop_direct', password: 'direct', database: 'postgres' };
  const client = await Client.open({ host: '127.0.0.1', port: server.port, ...login });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}

/** The login is another one. */
export const alike = (text: string): string => text.replaceAll(/shop_(direct|writer|owner)/g, 'shop_client');
