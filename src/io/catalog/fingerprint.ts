/**
 * Whether the catalog of a database has changed, asked in one cheap question: by whoever keeps a copy of it, every few
 * seconds.
 */

/** Of large catalogs the server's own count of what was written: a second late at most where the writer is idle. */
function counted(catalog: string): string {
  const counters = ['inserted', 'updated', 'deleted'].map(
    (what) => `pg_stat_get_tuples_${what}('${catalog}'::regclass)`,
  );
  return `concat_ws(':', ${counters.join(', ')})`;
}

/** Functions, and what runs behind relations. Changes with every row of these catalogs that is written anew: a new version of a row has another xmin and ctid. */
const code = [
  'pg_proc',
  'pg_operator',
  'pg_cast',
  'pg_rewrite',
  'pg_policy',
  'pg_trigger',
  'pg_namespace',
  'pg_event_trigger',
  // casts and domains are known by their names; rows of tables and arrays have types of their own
  `(SELECT oid, xmin, ctid FROM pg_type WHERE typtype <> 'c' AND NOT (typelem <> 0 AND typcategory = 'A')) t`,
  `(SELECT oid, xmin, ctid FROM pg_class WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'f')) c`,
]
  .map(
    (rows) =>
      `(SELECT concat(count(*), ':', sum(hashtextextended(concat(oid, ' ', xmin, ' ', ctid), 0)::numeric)) FROM ${rows} WHERE oid >= 16384)`,
  )
  .join(', ');

/** Columns and what is said of them too; a temporary table of anybody changes it. */
export const columnsFingerprint = `SELECT concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()), ${code}, ${['pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_description', 'pg_seclabel'].map(counted).join(', ')}) AS fingerprint`;
