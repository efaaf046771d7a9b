/**
 * What a client may do to the relations of a statement as whoever it is now, and what it could do as another role.
 *
 * What lives here: the questions. What it must not know: which role is for which statement. Every name and operator has
 * its schema, so that nothing of the client's search_path is meant; see internal-search-path.ts.
 */
import type { AccessEffect } from '../../policy/read-access.js';
import type { Target } from '../../sql/facts.js';
import type { InternalSession } from './internal-queries.js';
import { relationNames, withInternalSearchPath } from './internal-search-path.js';

const privilegeOf: Readonly<Record<AccessEffect, string>> = {
  read: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  truncate: 'TRUNCATE',
};

/** One relation, as the session's names lead to it. */
export interface RelationRights {
  readonly schema: string;
  readonly name: string;
  /** On all of its columns. */
  readonly may: ReadonlySet<AccessEffect>;
  /** It goes with the session, or belongs to the login: its rules, checks and defaults may be the client's own code. */
  readonly ofClient: boolean;
}

/** By the name in SQL as relationNames gives it; relations that are not there are missing. */
export function relationRights(
  session: InternalSession,
  targets: readonly Target[],
): Promise<ReadonlyMap<string, RelationRights>> {
  return withInternalSearchPath(session, async (lookUp) => {
    const found = new Map<string, RelationRights>();
    for (const [name, oid] of await lookUp(targets)) {
      const [row] = await session.ask(relationSql, [oid]);
      if (row) {
        found.set(name, {
          schema: row.schema ?? '',
          name: row.name ?? '',
          may: new Set(effects.filter((effect) => row[effect] === 't')),
          ofClient: row.of_client !== 'f',
        });
      }
    }
    return found;
  });
}

const effects = Object.keys(privilegeOf) as AccessEffect[];

const relationSql = `
  SELECT n.nspname AS schema, c.relname AS name,
         c.relpersistence = 't' OR pg_has_role(session_user, c.relowner, 'USAGE') AS of_client,
         ${effects.map((effect) => `has_table_privilege(c.oid, '${privilegeOf[effect]}') AS "${effect}"`).join(', ')}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid`;

/** The name in SQL of a target that relationRights was asked about. */
export function relationKey(target: Target): string {
  return relationNames([target])[0] ?? '';
}

export interface RoleNeed {
  readonly effect: AccessEffect;
  readonly schema: string;
  readonly name: string;
}

/** Why the session cannot or must not take the role on for these, in words that follow "because"; undefined where it can. */
export async function roleObstacle(
  session: Pick<InternalSession, 'ask'>,
  role: string,
  needs: readonly RoleNeed[],
): Promise<string | undefined> {
  const [found] = await session.ask(roleSql, [role]);
  if (found === undefined) return `the database has no role ${role}`;
  if (found.superuser === 't') return `${role} is a superuser`;
  if (found.may_become !== 't') return `${found.login} may not SET ROLE to ${role}`;
  for (const { effect, schema, name } of needs) {
    const [row] = await session.ask(roleRightSql, [role, schema, name, privilegeOf[effect]]);
    if (row?.may !== 't') return `${role} may not ${effect} ${schema}.${name} either`;
  }
  return undefined;
}

/** SET is a privilege type since PostgreSQL 16; before, who is a member may become. */
const roleSql = `
  SELECT session_user AS login, r.rolsuper AS superuser,
         CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 160000
              THEN pg_catalog.pg_has_role(session_user, r.oid, 'SET')
              ELSE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') END AS may_become
    FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name`;

/** On a column at least; DELETE and TRUNCATE are of whole tables. */
const roleRightSql = `
  SELECT CASE WHEN $4::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY['DELETE', 'TRUNCATE'])
              THEN pg_catalog.has_table_privilege($1::pg_catalog.name, c.oid, $4::pg_catalog.text)
              ELSE pg_catalog.has_any_column_privilege($1::pg_catalog.name, c.oid, $4::pg_catalog.text) END AS may
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   WHERE n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) $3::pg_catalog.name`;

/**
 * Code that the client may have written itself, and that would run as the role: a trigger or a function without a
 * search_path of its own finds whatever the session's path has under the name. Undefined where there is none.
 */
export const clientCodeSql = `
  SELECT code.name FROM (
    SELECT 1, 'the function ' OPERATOR(pg_catalog.||) p.proname
      FROM pg_catalog.pg_proc p
     WHERE p.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, p.proowner, 'USAGE')
    UNION ALL
    SELECT 2, 'the operator ' OPERATOR(pg_catalog.||) o.oprname
      FROM pg_catalog.pg_operator o
     WHERE o.oprnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, o.oprowner, 'USAGE')
    UNION ALL
    SELECT 3, 'the type ' OPERATOR(pg_catalog.||) y.typname
      FROM pg_catalog.pg_type y
     WHERE y.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['d', 'b', 'r']::pg_catalog."char"[])
       AND y.typelem OPERATOR(pg_catalog.=) 0
       AND (y.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, y.typowner, 'USAGE'))
    UNION ALL
    SELECT 4, CASE WHEN c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog."char"[]) THEN 'the view ' ELSE 'the table ' END
              OPERATOR(pg_catalog.||) c.relname
      FROM pg_catalog.pg_class c
     WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
       AND (c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE'))
       AND (c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm', 'f']::pg_catalog."char"[])
        OR c.relhasrules OR c.relhastriggers OR c.relrowsecurity
        OR EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid OPERATOR(pg_catalog.=) c.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.=) 'c')
        OR EXISTS (SELECT FROM pg_catalog.pg_index i
                    WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)))
  ) AS code(rank, name) ORDER BY code.rank LIMIT 1`;
