/**
 * The search_path of dbguard's own questions in a client's session: the client could have put a function of its own
 * behind `=` or `count`. Names of the held statement are looked up under the client's own path.
 */
import type { Target, TargetType } from '../../sql/facts.js';
import type { InternalSession } from './internal-queries.js';

/** When `work` fails, the scope around it is undone as a whole, the setting with it. */
export async function withInternalSearchPath<T>(
  session: InternalSession,
  work: (
    lookUp: (targets: readonly Target[], types?: ReadonlySet<TargetType>) => Promise<ReadonlyMap<string, string>>,
  ) => Promise<T>,
): Promise<T> {
  const [setting] = await session.ask(`SELECT pg_catalog.current_setting('search_path') AS path`);
  const clientPath = setting?.path ?? '';
  await setPath(session, 'pg_catalog, pg_temp');
  const result = await work(async (targets, types) => {
    const oids = new Map<string, string>();
    const found = (name: string, [row]: Record<string, string | null>[]): void => {
      if (row?.oid) oids.set(name, row.oid);
    };
    const bare = new Map<string, Target>();
    for (const target of targets) {
      for (const name of relationNames([target], types)) {
        const { schema } = target;
        if (schema === undefined || schema === 'pg_temp') bare.set(name, target);
        else if (!oids.has(name)) found(name, await session.ask(inSchemaSql, [schema, target.name]));
      }
    }
    if (bare.size === 0) return oids;
    await setPath(session, clientPath);
    for (const name of bare.keys())
      found(name, await session.ask('SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid', [name]));
    await setPath(session, 'pg_catalog, pg_temp');
    return oids;
  });
  await setPath(session, clientPath);
  return result;
}

/** Also where the login may not look into the schema: to_regclass would fail then, and the transaction with it. */
const inSchemaSql = `
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2`;

const tablesAndViews: ReadonlySet<TargetType> = new Set(['table', 'view']);

/** Tables and views among the targets, or what is of these types, as SQL names. */
export function relationNames(targets: readonly Target[], types = tablesAndViews): string[] {
  const relations = targets.filter(({ type }) => types.has(type));
  return [
    ...new Set(
      relations.map(({ schema, name }) => (schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`)),
    ),
  ];
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** As people say it: without the schema that everybody means, without quotes that nothing needs. */
export function plainName(name: string | null | undefined): string {
  return (name ?? '').replace(/^public\./, '').replace(/^"([a-z_][a-z0-9_]*)"$/, '$1');
}

async function setPath(session: InternalSession, path: string): Promise<void> {
  await session.ask(`SELECT pg_catalog.set_config('search_path', $1, true)`, [path]);
}
