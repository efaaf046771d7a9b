/** What a statement costs in a transcript: its entry and its outcome. Signatures come on top, one in 2 ms or 64 entries at most. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

/** Bytes of a statement with its outcome. */
const most = 400;

interface Sent {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** As programs send them: by key, lists, joins, bookkeeping, writes. */
const statements: readonly Sent[] = [
  { text: 'SELECT 1' },
  { text: 'SELECT id, name FROM customers WHERE id = $1', values: [7] },
  { text: 'SELECT * FROM orders WHERE customer = $1 ORDER BY created DESC LIMIT 20', values: [7] },
  {
    text: 'SELECT o.id, c.name, sum(i.price) FROM orders o JOIN customers c ON c.id = o.customer JOIN items i ON i."order" = o.id WHERE o.created > $1 GROUP BY 1, 2',
    values: ['2026-01-01'],
  },
  { text: 'INSERT INTO orders (customer, created) VALUES ($1, now()) RETURNING id', values: [7] },
  { text: 'UPDATE customers SET name = $1 WHERE id = $2', values: ['Ada', 7] },
  { text: 'DELETE FROM items WHERE "order" = $1 AND id = $2', values: [1, 2] },
  { text: 'BEGIN' },
  { text: 'SELECT id FROM orders WHERE id = $1 FOR UPDATE', values: [1] },
  { text: 'COMMIT' },
  { text: "SET statement_timeout = '5s'" },
  { text: 'SELECT count(*) FROM orders' },
];
const rounds = 40;

const upstream = await startPostgres();
t.teardown(() => upstream.stop());
await upstream.query(
  'CREATE TABLE customers (id int PRIMARY KEY, name text); CREATE TABLE orders (id serial PRIMARY KEY, customer int, created timestamptz);' +
    'CREATE TABLE items (id int PRIMARY KEY, "order" int, price numeric)',
);

type Send = (client: pg.Client, one: Sent, place: number, round: number) => Promise<unknown>;

/** Entries of statements and their outcomes, after each was sent so many times; without signatures, whose number time decides. */
async function entriesOf(send: Send): Promise<string[]> {
  const guarded = await startProxyProcess(upstream, { policy: { profile: 'observe' } });
  const client = new pg.Client({ connectionString: guarded.url() });
  await client.connect();
  for (let round = 0; round < rounds; round++) {
    for (const [place, one] of statements.entries()) await send(client, one, place, round);
  }
  await client.end();
  const segments: string[] = [];
  await guarded.stop(() => {
    for (const entry of readdirSync(guarded.workspace.bucket, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (path.endsWith('.jsonl.gz')) segments.push(gunzipSync(readFileSync(path)).toString());
    }
  });
  return segments.flatMap((text) => text.split('\n')).filter((line) => /"k":"(?:statement|outcome|parse)"/.test(line));
}

const count = rounds * statements.length;
const bytesOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

/** Values in the text, other ones each time. */
function inlined({ text, values = [] }: Sent, round: number): string {
  return text.replace(/\$(\d)/g, (_all, place: string) => {
    const value = values[Number(place) - 1];
    return typeof value === 'number' ? String(value + round) : `'${value}${round % 10}'`;
  });
}

const ways: Readonly<Record<string, Send>> = {
  'with values, not prepared': (client, { text, values = [] }) => client.query(text, [...values]),
  'prepared once': (client, { text, values = [] }, place) =>
    client.query({ name: `s${place}`, text, values: [...values] }),
  'values in the text, other ones each time': (client, one, _place, round) => client.query(inlined(one, round)),
  'the same text again and again': (client, one) => client.query(inlined(one, 0)),
  'prepared under two names': (client, { text, values = [] }, place, round) =>
    client.query({ name: `s${place}_${round % 2}`, text, values: [...values] }),
};

for (const [name, send] of Object.entries(ways)) {
  t.test(`${name}: at most ${most} bytes, text and values included`, async (t) => {
    const lines = await entriesOf(send);
    t.equal(lines.filter((line) => line.includes('"k":"outcome"')).length, count);
    const each = bytesOf(lines) / count;
    t.ok(each <= most, `${each.toFixed(0)} bytes a statement`);
    t.comment(`${each.toFixed(0)} bytes a statement`);
  });
}
