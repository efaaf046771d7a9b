/**
 * Columns with what is known of their values, for `dbguard mask suggest`: names, types, comments, statistics, and a few
 * values of each, which stay in memory.
 *
 * What lives here: the questions, bounded in rows, bytes and time. What it must not know: what the answers mean.
 */
import type { SuggestedColumn } from '../../masking/suggest/suggest.js';
import type { Row } from './control-connection.js';

type Ask = (sql: string, values: readonly (string | null)[], timeoutMs: number) => Promise<Row[]>;

const catalogMs = 10_000;
/** Of one table. A table that takes longer is told by its names alone. */
const sampleMs = 2_000;
const sampledRows = 200;
const sampledCharacters = 500;
/** Partitions hold what their parent shows; a column with tags has been decided. */
const columnsQuery = `
  SELECT n.nspname AS schema, c.relname AS relation, a.attname AS name, c.relkind AS kind,
         CASE WHEN t.typcategory = 'S' THEN 'text' WHEN t.typcategory = 'N' THEN 'number'
              WHEN t.typcategory = 'D' THEN 'date' WHEN t.typcategory = 'B' THEN 'boolean'
              WHEN t.typname IN ('json', 'jsonb') THEN 'json' ELSE 'other' END AS family,
         col_description(c.oid, a.attnum) AS comment, s.n_distinct AS distinct,
         EXISTS (SELECT FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = c.oid
                    AND l.objsubid = a.attnum) AS labelled
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
   WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     AND n.nspname !~ '^pg_(temp|toast)'
   ORDER BY 1, 2, a.attnum`;

const sampled: ReadonlySet<string> = new Set(['text', 'json', 'number']);
const families: ReadonlySet<string> = new Set(['text', 'number', 'date', 'boolean', 'json', 'other']);

export interface ReadColumns {
  readonly columns: readonly SuggestedColumn[];
  /** `schema.table` of which no values could be read. */
  readonly unread: readonly string[];
}

/** @param isDecided what a file masks already */
export async function readColumns(
  ask: Ask,
  { sample, isDecided }: { sample: boolean; isDecided: (name: readonly [string, string, string]) => boolean },
): Promise<ReadColumns> {
  const rows = (await ask(columnsQuery, [], catalogMs)).filter(
    ({ schema, relation, name, comment, labelled }) =>
      labelled !== 't' && !comment?.includes('dbguard:mask=') && !isDecided([schema ?? '', relation ?? '', name ?? '']),
  );
  const tables = new Map<string, Row[]>();
  for (const row of rows) {
    const table = `${row.schema}.${row.relation}`;
    tables.set(table, [...(tables.get(table) ?? []), row]);
  }
  const columns: SuggestedColumn[] = [];
  const unread: string[] = [];
  for (const [table, its] of tables) {
    // a foreign table is somebody else's server
    const read = sample && its[0]?.kind !== 'f' ? await samples(ask, its).catch(() => undefined) : new Map();
    if (read === undefined) unread.push(table);
    columns.push(...its.map((row) => columnOf(row, read?.get(row.name ?? ''))));
  }
  return { columns, unread };
}

async function samples(ask: Ask, columns: readonly Row[]): Promise<Map<string, string[]>> {
  const wanted = columns.filter(({ family }) => sampled.has(family ?? ''));
  const found = new Map<string, string[]>();
  const [first] = wanted;
  if (first === undefined) return found;
  const list = wanted.map(({ name }, at) => `left(${quoted(name)}::text, ${sampledCharacters}) AS v${at}`);
  const from = `${quoted(first.schema)}.${quoted(first.relation)}`;
  const rows = await ask(`SELECT ${list.join(', ')} FROM ${from} LIMIT ${sampledRows}`, [], sampleMs);
  for (const [at, { name }] of wanted.entries()) {
    found.set(
      name ?? '',
      rows.flatMap((row) => row[`v${at}`] || []),
    );
  }
  return found;
}

function columnOf(row: Row, sample: string[] | undefined): SuggestedColumn {
  const family = families.has(row.family ?? '') ? (row.family as SuggestedColumn['family']) : 'other';
  return {
    schema: row.schema ?? '',
    table: row.relation ?? '',
    name: row.name ?? '',
    family,
    ...(row.comment ? { comment: row.comment } : {}),
    ...(row.distinct ? { distinct: Number(row.distinct) } : {}),
    ...(sample === undefined ? {} : { sample }),
  };
}

function quoted(name: string | null | undefined): string {
  return `"${(name ?? '').replaceAll('"', '""')}"`;
}
