/** A database of so many tables that reading its catalog is work: what its first client waits for, and what is kept of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { message, text } from '../helpers/wire-messages.js';
import type { Measure } from './measures.js';
import { RawClient } from './raw-client.js';
import { type BenchTarget, memoryOf } from './targets.js';

const tables = 20_000;
/** In one transaction: each table holds locks to its end. */
const atOnce = 500;
/** A child is up by then; the catalog is read meanwhile. */
const startMs = 1_500;

interface Found {
  readonly connected: number;
  /** From the beginning of the connection to the first rows of a table. */
  readonly answered: number;
  readonly memory: number | undefined;
}

/** Both come from one start: whichever is asked for first makes the database. */
export function manyTables(): Measure[] {
  let found: Promise<Found> | undefined;
  const of = async (target: BenchTarget): Promise<Found | undefined> => {
    if (target.startOn === undefined) return undefined;
    found ??= start(target.startOn);
    return found;
  };
  return [
    {
      name: `first connection, ${tables} tables`,
      ...{ unit: 'ms', more: false, once: true, goals: [{ figure: 100 }] },
      of: async (target) => (await of(target))?.connected,
    },
    {
      name: `first rows, ${tables} tables`,
      ...{ unit: 'ms', more: false, once: true },
      of: async (target) => (await of(target))?.answered,
    },
    {
      name: `memory with ${tables} tables`,
      ...{ unit: 'MB', more: false, once: true, goals: [{ figure: 180 }] },
      of: async (target) => (await of(target))?.memory,
    },
  ];
}

async function start(startOn: NonNullable<BenchTarget['startOn']>): Promise<Found> {
  const database = 'many_tables';
  const guarded = await startOn(async (url) => {
    await make(url('postgres'), [`CREATE DATABASE ${database}`]);
    await make(url(database), creation());
    return database;
  });
  try {
    await sleep(startMs);
    const begun = performance.now();
    const client = await RawClient.open(guarded);
    const connected = performance.now() - begun;
    await client.request(message('Q', text('SELECT count(*) FROM many_1')));
    const answered = performance.now() - begun;
    await sleep(startMs);
    const memory = memoryOf(guarded.pid, 'now');
    client.close();
    return { connected, answered, memory };
  } finally {
    await guarded.stop();
  }
}

function creation(): string[] {
  return Array.from({ length: tables / atOnce }, (_, part) => {
    const [first, last] = [part * atOnce, (part + 1) * atOnce - 1];
    return `DO $$ BEGIN FOR n IN ${first}..${last} LOOP
      EXECUTE format('CREATE TABLE many_%s (id bigint PRIMARY KEY, name text, made timestamptz DEFAULT now(), price numeric)', n);
    END LOOP; END $$`;
  });
}

async function make(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
