/**
 * What a client may do to the relations of a statement as whoever it is now, and what it could do as another role.
 *
 * What lives here: the questions. What it must not know: which role is for which statement. Every name and operator has
 * its schema, so that nothing of the client's search_path is meant; see internal-search-path.ts.
 */
import type { NamedNeed } from '../../policy/access-offer.js';
import type { AccessEffect } from '../../policy/read-access.js';
import type { Target, TargetType } from '../../sql/facts.js';
import type { InternalSession } from './internal-queries.js';
import { relationNames, withInternalSearchPath } from './internal-search-path.js';

/** How the server says who may: a privilege on the table, or on some of its columns; its owner, or whoever looks after it. */
const rightOf: Readonly<Record<AccessEffect, { readonly privilege: string; readonly byColumn?: true } | 'owner'>> = {
  read: { privilege: 'SELECT', byColumn: true },
  insert: { privilege: 'INSERT', byColumn: true },
  update: { privilege: 'UPDATE', byColumn: true },
  delete: { privilege: 'DELETE' },
  truncate: { privilege: 'TRUNCATE' },
  create: 'owner',
  alter: 'owner',
  drop: 'owner',
  maintenance: 'owner',
};

/** One relation, as the session's names lead to it; of an index, its table. */
export interface RelationRights {
  readonly schema: string;
  readonly name: string;
  /** On all of its columns, or all that are named; nothing where it may not look into the schema. */
  readonly may: ReadonlySet<AccessEffect>;
  /** It goes with the session, or belongs to the login: its rules, checks and defaults may be the client's own code. */
  readonly ofClient: boolean;
}

const ofRelations: ReadonlySet<TargetType> = new Set(['table', 'view', 'index', 'sequence']);

/** By the name in SQL as relationKey gives it; relations that are not there are missing. */
export function relationRights(
  session: InternalSession,
  targets: readonly Target[],
): Promise<ReadonlyMap<string, RelationRights>> {
  return withInternalSearchPath(session, async (lookUp) => {
    const found = new Map<string, RelationRights>();
    const oids = await lookUp(targets, ofRelations);
    const columns = new Map(targets.map((target) => [relationKey(target), target.columns]));
    for (const [name, oid] of oids) {
      const [row] = await session.ask(relationSql, [oid, arrayOf(columns.get(name) ?? [])]);
      if (row) {
        found.set(name, {
          schema: row.schema ?? '',
          name: row.name ?? '',
          may: new Set(effects.filter((effect) => row.may_use === 't' && row[effect] === 't')),
          ofClient: row.of_client !== 'f',
        });
      }
    }
    return found;
  });
}

const effects = Object.keys(rightOf) as AccessEffect[];

function arrayOf(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replaceAll(/[\\"]/g, '\\$&')}"`).join(',')}}`;
}

/** `t` is the table; `o` what is named, which may be an index of it. MAINTAIN is a privilege since PostgreSQL 17. */
const may = (effect: AccessEffect): string => {
  const right = rightOf[effect];
  if (right !== 'owner') {
    const whole = `has_table_privilege(t.oid, '${right.privilege}')`;
    if (!right.byColumn) return whole;
    return `${whole} OR coalesce((SELECT bool_and(has_column_privilege(t.oid, a, '${right.privilege}')) FROM unnest($2::text[]) AS wanted(a)), false)`;
  }
  const owns = "pg_has_role(t.relowner, 'USAGE')";
  if (effect === 'drop') return `${owns} OR pg_has_role(n.nspowner, 'USAGE')`;
  if (effect !== 'maintenance') return owns;
  return `${owns} OR (SELECT pg_has_role(d.datdba, 'USAGE') FROM pg_database d WHERE d.datname = current_database())
    OR CASE WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(t.oid, 'MAINTAIN') ELSE false END`;
};

const relationSql = `
  SELECT n.nspname AS schema, t.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS may_use,
         t.relpersistence = 't' OR pg_has_role(session_user, t.relowner, 'USAGE') AS of_client,
         ${effects.map((effect) => `${may(effect)} AS "${effect}"`).join(', ')}
    FROM pg_class o LEFT JOIN pg_index i ON i.indexrelid = o.oid
    JOIN pg_class t ON t.oid = coalesce(i.indrelid, o.oid) JOIN pg_namespace n ON n.oid = t.relnamespace
   WHERE o.oid = $1::oid`;

/** The name in SQL of a target that relationRights was asked about. */
export function relationKey(target: Target): string {
  return relationNames([target], ofRelations)[0] ?? '';
}

export interface SchemaRights {
  readonly schema: string;
  readonly mayCreate: boolean;
}

/** Where a new object of that name is made. Undefined where the server has no such schema, or the session none. */
export async function schemaRights(session: InternalSession, { schema }: Target): Promise<SchemaRights | undefined> {
  const [row] = await session.ask(schemaSql, [schema ?? null]);
  return row && { schema: row.schema ?? '', mayCreate: row.may === 't' };
}

const schemaSql = `
  SELECT n.nspname AS schema, pg_catalog.has_schema_privilege(n.oid, 'CREATE')
     AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may FROM pg_catalog.pg_namespace n
   WHERE n.nspname OPERATOR(pg_catalog.=) coalesce($1::pg_catalog.name, pg_catalog.current_schema())`;

/** Why the session cannot or must not take the role on for these, in words that follow "because"; undefined where it can. */
export async function roleObstacle(
  session: Pick<InternalSession, 'ask'>,
  role: string,
  needs: readonly NamedNeed[],
): Promise<string | undefined> {
  const [found] = await session.ask(roleSql, [role]);
  if (found === undefined) return `the database has no role ${role}`;
  if (found.superuser === 't') return `${role} is a superuser`;
  if (found.may_become !== 't') return `${found.login} may not SET ROLE to ${role}`;
  for (const need of needs) {
    const [row] = await session.ask(...roleRight(role, need));
    if (row?.may !== 't') return `${role} may not ${needWords(need)} either`;
  }
  return undefined;
}

/** As people say it: `maintain public.orders`. */
export function needWords({ effect, schema, name, isNew }: NamedNeed): string {
  // an index or the like on what is there
  const act = effect === 'create' && isNew !== true ? 'create on' : effect;
  return `${act === 'maintenance' ? 'maintain' : act} ${schema}.${name}`;
}

/** SET is a privilege type since PostgreSQL 16; before, who is a member may become. */
const roleSql = `
  SELECT session_user AS login, r.rolsuper AS superuser,
         CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 160000
              THEN pg_catalog.pg_has_role(session_user, r.oid, 'SET')
              ELSE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') END AS may_become
    FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name`;

function roleRight(role: string, { effect, schema, name, isNew }: NamedNeed): [sql: string, values: string[]] {
  const right = rightOf[effect];
  if (isNew)
    return [
      `SELECT pg_catalog.has_schema_privilege($1::pg_catalog.name, $2, 'CREATE')
          AND pg_catalog.has_schema_privilege($1::pg_catalog.name, $2, 'USAGE') AS may`,
      [role, schema],
    ];
  if (right !== 'owner') return [privilegeSql(right.byColumn ?? false), [role, schema, name, right.privilege]];
  return [ownerSql(effect), [role, schema, name]];
}

const named = `
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   WHERE n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) $3::pg_catalog.name
     AND pg_catalog.has_schema_privilege($1::pg_catalog.name, n.oid, 'USAGE')`;

/** On a column at least; DELETE and TRUNCATE are of whole tables. */
function privilegeSql(byColumn: boolean): string {
  const has = byColumn ? 'has_any_column_privilege' : 'has_table_privilege';
  return `SELECT pg_catalog.${has}($1::pg_catalog.name, c.oid, $4::pg_catalog.text) AS may ${named}`;
}

function ownerSql(effect: AccessEffect): string {
  const has = (owner: string) => `pg_catalog.pg_has_role($1::pg_catalog.name, ${owner}, 'USAGE')`;
  const more: Partial<Record<AccessEffect, string>> = {
    drop: ` OR ${has('n.nspowner')}`,
    maintenance: ` OR (SELECT ${has('d.datdba')} FROM pg_catalog.pg_database d
                        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
      OR CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 170000
              THEN pg_catalog.has_table_privilege($1::pg_catalog.name, c.oid, 'MAINTAIN') ELSE false END`,
  };
  return `SELECT ${has('c.relowner')}${more[effect] ?? ''} AS may ${named}`;
}
