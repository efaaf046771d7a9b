/**
 * The SQL that makes a login for agents: it has the privileges of no role until it takes one on, and owns nothing.
 *
 * What lives here: which statements, in which order, for which version. What it must not know: how the database is asked,
 * who runs them.
 */
import { matchName } from './name-pattern.js';
import type { AccessEffect, AccessRule } from './read-access.js';

/** What is there already. */
export interface SetupState {
  /** server_version_num: 160002 is 16.2. */
  readonly version: number;
  readonly database: string;
  /** Names as they stand in pg_roles, of those that were asked about. */
  readonly roles: ReadonlySet<string>;
  /** Tables and views that are no system's. */
  readonly tables: readonly { readonly schema: string; readonly name: string }[];
}

/** INHERIT and SET of a grant, instead of one attribute of the member. */
const grantsSayHow = 160000;

const without = 'NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

/** Statements without their `;`. Running them twice changes nothing more. */
export function setupStatements(login: string, rules: readonly AccessRule[], state: SetupState): string[] {
  const roles = [...new Set(rules.map(({ role }) => role))].filter((role) => role !== login);
  const statements = [
    state.roles.has(login)
      ? `ALTER ROLE ${quoted(login)} LOGIN ${without}`
      : `CREATE ROLE ${quoted(login)} LOGIN ${without}`,
    `GRANT CONNECT ON DATABASE ${quoted(state.database)} TO ${quoted(login)}`,
  ];
  for (const role of roles) {
    if (!state.roles.has(role)) statements.push(`CREATE ROLE ${quoted(role)} NOLOGIN`);
    const how = state.version < grantsSayHow ? '' : ' WITH INHERIT FALSE, SET TRUE';
    statements.push(`GRANT ${quoted(role)} TO ${quoted(login)}${how}`);
  }
  return [...statements, ...schemaGrants(login, rules, state), ...tableGrants(rules, state)];
}

function tablesOf({ tables: patterns }: AccessRule, { tables }: SetupState) {
  return tables.filter(({ schema, name }) => patterns.some((one) => matchName(one, [schema, name]) === 'yes'));
}

/** A name that may not be looked up is refused before anybody can be asked. */
function schemaGrants(login: string, rules: readonly AccessRule[], state: SetupState): string[] {
  const users = new Map<string, Set<string>>();
  for (const rule of rules) {
    for (const { schema } of tablesOf(rule, state)) {
      users.set(schema, (users.get(schema) ?? new Set([login])).add(rule.role));
    }
  }
  return [...users].map(
    ([schema, who]) => `GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${[...who].map(quoted).join(', ')}`,
  );
}

function tableGrants(rules: readonly AccessRule[], state: SetupState): string[] {
  const statements = new Set<string>();
  for (const rule of rules) {
    const granted = privileges(rule.effects, state.version);
    for (const { schema, name } of tablesOf(rule, state)) {
      if (granted !== '')
        statements.add(`GRANT ${granted} ON ${quoted(schema)}.${quoted(name)} TO ${quoted(rule.role)}`);
      if (rule.effects.includes('create'))
        statements.add(`GRANT CREATE ON SCHEMA ${quoted(schema)} TO ${quoted(rule.role)}`);
    }
  }
  return [...statements];
}

/** MAINTAIN is a privilege since then; before, as for altering and dropping, the role has to own the table. */
const maintainIsGranted = 170000;

/** Which rows an UPDATE or a DELETE is about takes reading them. */
function privileges(effects: readonly AccessEffect[], version: number): string {
  const reads = effects.some((effect) => effect === 'read' || effect === 'update' || effect === 'delete');
  const writes = (['insert', 'update', 'delete', 'truncate'] as const).filter((effect) => effects.includes(effect));
  const maintains = effects.includes('maintenance') && version >= maintainIsGranted;
  return [
    ...(reads ? ['SELECT'] : []),
    ...writes.map((effect) => effect.toUpperCase()),
    ...(maintains ? ['MAINTAIN'] : []),
  ].join(', ');
}

/** Always: a role may be called `user`. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
