/** docker-compose: services that run PostgreSQL and publish its port, with the login that their variables make. */
import { parse } from 'yaml';
import { parseDotenv } from './dotenv.js';
import type { Project, Raw } from './found.js';

const files = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yaml',
  'docker-compose.yml',
  'docker-compose.override.yml',
  'docker-compose.dev.yml',
];
const images =
  /(?:^|\/)(?:postgres|postgresql|postgis|timescaledb|timescaledb-ha|pgvector|supabase\/postgres|pg_?\w*)(?::|@|$)/i;

export function compose(project: Project): Raw[] {
  return files.flatMap((path) => {
    const text = project.read(path);
    if (text === undefined) return [];
    let file: unknown;
    try {
      file = parse(interpolated(project, text), { merge: true, maxAliasCount: 100, logLevel: 'silent' });
    } catch {
      return [];
    }
    const services = entries(field(file, 'services'));
    return services.flatMap(([name, service]) => fromService(project, path, name, service) ?? []);
  });
}

function fromService(project: Project, path: string, name: string, service: unknown): Raw | undefined {
  const variables = variablesOf(project, service);
  const image = String(field(service, 'image') ?? '');
  if (!images.test(image) && !variables.has('POSTGRES_PASSWORD')) return undefined;
  const published = portOf(field(service, 'ports'));
  if (published === undefined) return undefined;
  const user = variables.get('POSTGRES_USER') || 'postgres';
  const parts = {
    ...published,
    user,
    dbname: variables.get('POSTGRES_DB') || user,
    password: variables.get('POSTGRES_PASSWORD') ?? '',
  };
  return { says: `service ${name} in ${path}`, source: path, file: path, parts, container: true };
}

/** `${NAME}`, `${NAME:-default}`, `$NAME`; `$$` is one sign. */
function interpolated(project: Project, text: string): string {
  return text.replace(/\$\$|\$\{(\w+)(?::?[-?]([^}]*))?\}|\$(\w+)/g, (whole, braced, otherwise, bare) => {
    if (whole === '$$') return '$';
    return project.variable(braced ?? bare)?.value || (otherwise ?? '');
  });
}

function variablesOf(project: Project, service: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of list(field(service, 'env_file'))) {
    const path = typeof file === 'string' ? file : String(field(file, 'path') ?? '');
    for (const [name, value] of parseDotenv(project.read(path.replace(/^\.\//, '')) ?? '')) found.set(name, value);
  }
  const environment = field(service, 'environment');
  if (Array.isArray(environment)) {
    for (const one of environment) {
      const [name = '', ...rest] = String(one).split('=');
      found.set(name, rest.length > 0 ? rest.join('=') : (project.variable(name)?.value ?? ''));
    }
  } else
    for (const [name, value] of entries(environment))
      found.set(name, String(value ?? project.variable(name)?.value ?? ''));
  return found;
}

/** `5433:5432`, `127.0.0.1:5433:5432`, or `{ target, published, host_ip }`. */
function portOf(ports: unknown): { readonly host: string; readonly port: string } | undefined {
  for (const one of list(ports)) {
    if (typeof one === 'object' && one !== null) {
      if (String(field(one, 'target')) !== '5432') continue;
      const published = field(one, 'published');
      if (published !== undefined) return { host: '127.0.0.1', port: String(published) };
      continue;
    }
    const [, port] = /^(?:[\d.]+:|\[[^\]]*\]:)?(\d+):5432(?:\/tcp)?$/.exec(String(one)) ?? [];
    if (port !== undefined) return { host: '127.0.0.1', port };
  }
  return undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
