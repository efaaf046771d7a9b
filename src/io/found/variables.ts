/** Variables with a whole connection string, in the environment or in dotenv files; and libpq's own. */
import type { Project, Raw } from './found.js';

/** As frameworks and hosters call them, the usual one first. */
const urlVariables = [
  'DATABASE_URL',
  'POSTGRES_URL',
  'POSTGRESQL_URL',
  'PG_URL',
  'POSTGRES_PRISMA_URL',
  'POSTGRES_URL_NON_POOLING',
  'DIRECT_URL',
  'DATABASE_URI',
  'DB_URL',
  'DATABASE_PRIVATE_URL',
  'SQLALCHEMY_DATABASE_URI',
  'SUPABASE_DB_URL',
  'DATABASE_CONNECTION_STRING',
] as const;

export function variables(project: Project): Raw[] {
  return urlVariables.flatMap((name): Raw[] => {
    const found = project.variable(name);
    if (found === undefined || found.value === '') return [];
    const { value: text, file } = found;
    if (file === undefined) return [{ says: `${name} in the environment`, source: name, text }];
    return [{ says: `${name} in ${file}`, source: file, file, text }];
  });
}

/** libpq's variables of the environment count whenever nothing else is said: one of these says that they are meant. */
export function libpqVariables({ env }: Project): Raw[] {
  const named = ['PGHOST', 'PGHOSTADDR', 'PGDATABASE', 'PGSERVICE'].filter((name) => env[name]);
  const [first] = named;
  if (first === undefined) return [];
  const service = env.PGSERVICE;
  if (service) return [{ says: 'PGSERVICE in the environment', source: 'PGSERVICE', parts: { service } }];
  const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: dbname, PGPASSWORD: password } = env;
  const parts = Object.fromEntries(
    Object.entries({ host, port, user, dbname, password }).filter(([, value]) => value !== undefined && value !== ''),
  );
  return [{ says: `${named.join(', ')} in the environment`, source: first, parts }];
}

/** Split variables, as many templates have them: DB_HOST, POSTGRES_USER. */
export function splitVariables(project: Project): Raw[] {
  return ['POSTGRES', 'DB', 'DATABASE', 'PG'].flatMap((prefix) => {
    const get = (...names: readonly string[]) =>
      names.map((name) => project.variable(`${prefix}${name}`)).find((one) => one?.value);
    const host = get('_HOST', '_SERVER', 'HOST');
    const dbname = get('_DB', '_NAME', '_DATABASE', 'DATABASE');
    const user = get('_USER', '_USERNAME', 'USER');
    if (host?.file === undefined || dbname === undefined || user === undefined) return [];
    const kind =
      project.variable(`${prefix}_CONNECTION`) ??
      project.variable(`${prefix}_ENGINE`) ??
      project.variable(`${prefix}_DIALECT`);
    if (kind !== undefined && !/postg|pgsql|^pg$/i.test(kind.value)) return [];
    if (kind === undefined && !/^P/.test(prefix) && get('_PORT')?.value !== '5432') return [];
    const parts = {
      host: host.value,
      dbname: dbname.value,
      user: user.value,
      port: get('_PORT', 'PORT')?.value ?? '',
      password: get('_PASSWORD', '_PASS', 'PASSWORD')?.value ?? '',
    };
    return [{ says: `${prefix}… variables in ${host.file}`, source: host.file, file: host.file, parts }];
  });
}
