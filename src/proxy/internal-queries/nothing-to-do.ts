/**
 * Which statements of a text change nothing: what they would make is there, what they would drop is not. Asked in the
 * client's own session, so that its search_path and what its transaction has done count.
 *
 * Every name in these questions has its schema: the client's path decides what the statement means, not what is asked.
 */
import { kindsWith } from '../../sql/effect-traits.js';
import type { Facts, Presence, StatementFacts, Target } from '../../sql/facts.js';
import type { InternalSession } from './internal-queries.js';
import { quote } from './internal-search-path.js';

/** Some of the text may turn out to change nothing. */
export function mayChangeNothing({ statements }: Facts): boolean {
  for (const statement of statements) {
    if (statement.nothingIf !== undefined) return true;
    if (!leavesNames(statement)) return false;
  }
  return false;
}

/** Indexes into `facts.statements`; up to the first that may change what the names of those behind it stand for. */
export async function findNothingToDo(
  { statements }: Facts,
  session: InternalSession,
  bindValues: readonly (string | null)[] = [],
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const [index, statement] of statements.entries()) {
    const { nothingIf } = statement;
    if (nothingIf !== undefined && (await holds(nothingIf, session, bindValues))) found.add(index);
    else if (!leavesNames(statement)) break;
  }
  return found;
}

const leaveNames = kindsWith('leaves-names');
const neutralSettings = /^(client_min_messages|application_name|[a-z_]*timeout)$/;

function leavesNames({ effects, transaction }: StatementFacts): boolean {
  if (transaction !== undefined && transaction !== 'begin' && transaction !== 'savepoint') return false;
  return effects.every(
    ({ kind, opaque, targets }) =>
      leaveNames.has(kind) &&
      !opaque &&
      (kind !== 'session' || targets.every(({ name }) => neutralSettings.test(name))),
  );
}

async function holds(
  presences: readonly Presence[],
  session: InternalSession,
  bindValues: readonly (string | null)[],
): Promise<boolean> {
  for (const presence of presences) if (!(await isSo(presence, session, bindValues))) return false;
  return true;
}

/** As the session's names lead to it. */
export async function isSo(
  presence: Presence,
  session: InternalSession,
  bindValues: readonly (string | null)[] = [],
): Promise<boolean> {
  const { sql, values } = presence.what === 'row' ? rowQuestion(presence, bindValues) : questionOf(presence);
  const [row] = await session.ask(`SELECT (${sql}) IS TRUE AS there`, values);
  return (row?.there === 't') === presence.there;
}

interface Question {
  readonly sql: string;
  readonly values: readonly (string | null)[];
}

/** `=` and the names of functions and catalogs, whatever the search_path says. */
function safe(sql: string): string {
  return sql
    .replaceAll(' = ', ' OPERATOR(pg_catalog.=) ')
    .replaceAll('::name', '::pg_catalog.name')
    .replace(/\b(pg_[a-z_]+ [a-z]\b|current_schema\(|current_setting\(|to_reg[a-z]+\()/g, 'pg_catalog.$1');
}

const inSchema = `n.nspname = coalesce($2::name, current_schema())`;

/** Under a snapshot of its own a transaction may see a row that is gone. */
const seesLatest = `current_setting('transaction_isolation') = 'read committed'`;

function rowQuestion({ of, values }: RowPresence, bindValues: readonly (string | null)[]): Question {
  const compared = values.map(({ column }, index) => `r.${quote(column)} = $${index + 1}`);
  return {
    sql: safe(`${seesLatest} AND EXISTS (SELECT FROM ${path(of)} r WHERE ${compared.join(' AND ')})`),
    values: values.map(({ parameter, text = null }) =>
      parameter === undefined ? text : (bindValues[parameter - 1] ?? null),
    ),
  };
}

type RowPresence = Presence & { readonly what: 'row' };

function questionOf(presence: Exclude<Presence, RowPresence>): Question {
  const exists = (from: string, ...values: (string | null)[]): Question => ({
    sql: safe(`EXISTS (SELECT FROM ${from})`),
    values,
  });
  switch (presence.what) {
    case 'condition':
      return { sql: presence.sql, values: [] };
    case 'relation':
    case 'type': {
      const { what, name, schema = null, made } = presence;
      if (!made) {
        const lookUp = what === 'relation' ? 'to_regclass(' : 'to_regtype(';
        return { sql: safe(`${lookUp}$1) IS NOT NULL`), values: [path(presence)] };
      }
      if (what === 'relation')
        return exists(
          `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1::name AND ${inSchema}`,
          name,
          schema,
        );
      // An array type gives way to a new type of its name.
      return exists(
        `pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = $1::name AND ${inSchema}
         AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)`,
        name,
        schema,
      );
    }
    case 'function':
      return exists(
        `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.proname = $1::name AND ($2::name IS NULL OR n.nspname = $2::name)`,
        presence.name,
        presence.schema ?? null,
      );
    case 'schema':
      return exists('pg_namespace n WHERE n.nspname = $1::name', presence.name);
    case 'extension':
      return exists('pg_extension e WHERE e.extname = $1::name', presence.name);
    case 'database':
      return exists('pg_database d WHERE d.datname = $1::name', presence.name);
    case 'role':
      return exists('pg_roles r WHERE r.rolname = $1::name', presence.name);
    case 'server':
      return exists('pg_foreign_server f WHERE f.srvname = $1::name', presence.name);
    case 'value':
      return exists(
        'pg_enum e WHERE e.enumlabel = $1::name AND e.enumtypid = to_regtype($2)::pg_catalog.oid',
        presence.name,
        path(presence.of),
      );
    case 'index':
      return exists(
        `pg_class c JOIN pg_class t ON t.relnamespace = c.relnamespace
         WHERE c.relname = $1::name AND t.oid = to_regclass($2)`,
        presence.name,
        path(presence.of),
      );
    case 'column':
      return exists(
        'pg_attribute a WHERE a.attname = $1::name AND a.attrelid = to_regclass($2) AND NOT a.attisdropped',
        presence.name,
        path(presence.of),
      );
    case 'constraint':
      return exists(
        'pg_constraint k WHERE k.conname = $1::name AND k.conrelid = to_regclass($2)',
        presence.name,
        path(presence.of),
      );
    case 'trigger':
      return exists(
        'pg_trigger g WHERE g.tgname = $1::name AND g.tgrelid = to_regclass($2)',
        presence.name,
        path(presence.of),
      );
    case 'policy':
      return exists(
        'pg_policy p WHERE p.polname = $1::name AND p.polrelid = to_regclass($2)',
        presence.name,
        path(presence.of),
      );
    case 'rule':
      return exists(
        'pg_rewrite w WHERE w.rulename = $1::name AND w.ev_class = to_regclass($2)',
        presence.name,
        path(presence.of),
      );
  }
}

function path({ schema, name }: Pick<Target, 'schema' | 'name'>): string {
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`;
}
