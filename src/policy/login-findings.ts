/**
 * What a login of the database can do on its own, whatever dbguard lets through: each with the SQL that takes it away.
 *
 * What lives here: which rights count, and in which words. What it must not know: how they are read from the catalog.
 */

/** A role that the login is a member of, itself or through others. */
export interface Membership {
  readonly role: string;
  /** The role that was granted `role`, and leads there: the login itself, or one that it is a member of. */
  readonly member: string;
  /** Its privileges hold at once, without SET ROLE. */
  readonly inherits: boolean;
  /** SET ROLE to it is possible. */
  readonly mayBecome: boolean;
}

/** An object's owner may drop it, alter it and grant it; policies of rows do not bind the owner of a table. */
export interface Ownership {
  readonly owner: string;
  readonly kind: 'database' | 'schema' | 'table' | 'function';
  readonly objects: readonly string[];
}

/** Objects are named as SQL writes them. */
export interface LoginRights {
  readonly login: string;
  readonly database: string;
  /** server_version_num: 160002 is 16.2. */
  readonly version: number;
  readonly attributes: ReadonlySet<RoleAttribute>;
  readonly memberships: readonly Membership[];
  readonly owned: readonly Ownership[];
  /** Schemas in which everybody may create objects that shadow others. */
  readonly openSchemas: readonly string[];
  /** Tables whose rows everybody may change. */
  readonly openTables: readonly string[];
  /** Functions that run with the rights of a superuser, and that the login may call. */
  readonly definerFunctions: readonly string[];
  /** Tables on which the login may hand its privileges on. */
  readonly grantable: readonly string[];
}

export interface LoginFinding {
  readonly what: string;
  /** Statements for somebody who may run them, in their order. */
  readonly sql: readonly string[];
}

export type RoleAttribute = keyof typeof attributes;

/** "Role Attributes" in the PostgreSQL manual, those that reach further than a grant. */
const attributes = {
  SUPERUSER: 'is a superuser: no privilege and no policy of rows binds it, and it runs programs on the server',
  BYPASSRLS: 'passes by every policy of rows',
  CREATEROLE: 'makes roles and logins, which no connection of dbguard knows of',
  CREATEDB: 'makes databases, and drops its own',
  REPLICATION: 'may stream every change of every table past the statements that dbguard sees',
} as const;

/** "Predefined Roles" in the PostgreSQL manual. Who is a member can do this whatever the tables grant. */
const predefined: Readonly<Record<string, string>> = {
  pg_read_all_data: 'reads every table',
  pg_write_all_data: 'changes every table',
  pg_read_server_files: 'reads files of the server',
  pg_write_server_files: 'writes files of the server',
  pg_execute_server_program: 'runs programs on the server',
  pg_signal_backend: 'ends sessions of others',
  pg_signal_autovacuum_worker: 'ends autovacuum',
  pg_maintain: 'locks every table by VACUUM FULL, CLUSTER and REINDEX',
  pg_create_subscription: 'takes rows in from other servers',
  pg_database_owner: 'counts as owner of the database, and of its schema public',
  pg_monitor: 'reads the statements of others',
  pg_read_all_stats: 'reads the statements of others',
  pg_stat_scan_tables: 'takes locks on any table for as long as statistics are read',
  pg_read_all_settings: 'reads every setting of the server',
  pg_checkpoint: 'starts checkpoints',
  pg_use_reserved_connections: 'takes the connections that are kept for administrators',
};

const grantsSayHow = 160000;

/** Worst first. Of a superuser nothing else is said: the rest follows from it. */
export function loginFindings(rights: LoginRights): LoginFinding[] {
  const superuser = rights.attributes.has('SUPERUSER');
  return [
    ...attributeFindings(rights),
    ...(superuser ? [] : [...membershipFindings(rights), ...ownershipFindings(rights), ...grantFindings(rights)]),
  ];
}

function attributeFindings({ login, attributes: has }: LoginRights): LoginFinding[] {
  const all = (Object.keys(attributes) as RoleAttribute[]).filter((one) => has.has(one));
  const without = (some: readonly RoleAttribute[]): string[] => [
    `ALTER ROLE ${quoted(login)} ${some.map((one) => `NO${one}`).join(' ')};`,
  ];
  if (has.has('SUPERUSER')) return [{ what: `${login} ${attributes.SUPERUSER}`, sql: without(all) }];
  return all.map((one) => ({ what: `${login} ${attributes[one]}`, sql: without([one]) }));
}

function membershipFindings({ login, version, memberships }: LoginRights): LoginFinding[] {
  return memberships
    .filter(({ inherits, mayBecome }) => inherits || mayBecome)
    .map(({ role, member, inherits }) => {
      const can = predefined[role];
      const through = member === login ? '' : ` through ${member}`;
      if (can !== undefined || !inherits) {
        const what = can ?? 'its privileges count after SET ROLE, which dbguard asks about';
        return { what: `${login} is a member of ${role}${through}: ${what}`, sql: [revoked(role, member)] };
      }
      const kept =
        version < grantsSayHow
          ? [`ALTER ROLE ${quoted(member)} NOINHERIT;`]
          : [`GRANT ${quoted(role)} TO ${quoted(member)} WITH INHERIT FALSE, SET TRUE;`];
      return {
        what: `${login} has the privileges of ${role}${through} at all times, not only after SET ROLE`,
        sql: kept,
      };
    });
}

function ownershipFindings({ login, database, memberships, owned }: LoginRights): LoginFinding[] {
  const heir = quoted(`${database}_owner`);
  const handedOver = [`CREATE ROLE ${heir} NOLOGIN;`, `REASSIGN OWNED BY ${quoted(login)} TO ${heir};`];
  return owned.map(({ owner, kind, objects }, index) => {
    const own = owner === login;
    const may =
      kind === 'table'
        ? 'it may drop and alter them, grant them to others and pass by their policies of rows'
        : 'it may drop and alter them, and grant them to others';
    return {
      what: `${login} owns ${own ? '' : `by its membership in ${owner} `}${counted(objects, kind)}: ${may}`,
      // of each owner once: all that is owned goes together
      sql: owned.slice(0, index).some((one) => one.owner === owner)
        ? []
        : own
          ? handedOver
          : memberships.filter(({ role }) => role === owner).map((one) => revoked(owner, one.member)),
    };
  });
}

function grantFindings({ login, openSchemas, openTables, definerFunctions, grantable }: LoginRights): LoginFinding[] {
  const findings: LoginFinding[] = [];
  const add = (
    objects: readonly string[],
    kind: string,
    what: (them: string) => string,
    sql: (name: string) => string,
  ): void => {
    if (objects.length > 0) findings.push({ what: what(counted(objects, kind)), sql: objects.map(sql) });
  };
  add(
    openSchemas,
    'schema',
    (them) => `everybody may create objects in ${them}, under names that other statements then mean`,
    (name) => `REVOKE CREATE ON SCHEMA ${name} FROM PUBLIC;`,
  );
  add(
    openTables,
    'table',
    (them) => `everybody may change the rows of ${them}`,
    (name) => `REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ${name} FROM PUBLIC;`,
  );
  add(
    definerFunctions,
    'function',
    (them) => `${login} may call ${them}, which run as a superuser (SECURITY DEFINER)`,
    (name) => `REVOKE EXECUTE ON ROUTINE ${name} FROM PUBLIC, ${quoted(login)};`,
  );
  add(
    grantable,
    'table',
    (them) => `${login} may hand its privileges on ${them} to others`,
    (name) => `REVOKE GRANT OPTION FOR ALL ON ${name} FROM ${quoted(login)} CASCADE;`,
  );
  return findings;
}

const revoked = (role: string, member: string): string => `REVOKE ${quoted(role)} FROM ${quoted(member)};`;

const namesShown = 5;

function counted(objects: readonly string[], kind: string): string {
  const [many, noun] = objects.length === 1 ? ['the', kind] : [objects.length, `${kind}s`];
  const rest = objects.length - namesShown;
  return `${many} ${noun} ${objects.slice(0, namesShown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
