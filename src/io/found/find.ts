/** All places of a project in turn. The first that names a database comes first; one that several name is one. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { compose } from './compose.js';
import { django } from './django.js';
import { dotenvFiles, parseDotenv } from './dotenv.js';
import { type FoundConnection, type Project, type Raw, type Source, understood } from './found.js';
import { prisma } from './prisma.js';
import { rails } from './rails.js';
import { services } from './service-file.js';
import { libpqVariables, splitVariables, variables } from './variables.js';

const sources: readonly Source[] = [variables, prisma, rails, django, splitVariables, compose, libpqVariables];

export interface Findings {
  readonly found: readonly FoundConnection[];
  /** Databases of another kind: `DATABASE_URL in .env is for mysql`. */
  readonly others: readonly string[];
}

export function findConnections(project: Project, serviceFile: () => string | undefined = () => undefined): Findings {
  const own = collect(sources.flatMap((source) => source(project)));
  return own.found.length > 0 ? own : { ...collect(services(serviceFile() ?? '')), others: own.others };
}

function collect(raws: readonly Raw[]): Findings {
  const found = new Map<string, FoundConnection>();
  const others: string[] = [];
  for (const raw of raws) {
    const one = understood(raw);
    if ('other' in one) {
      const what = one.other === 'unreadable' ? 'cannot be read as a connection string' : `is for ${one.other}`;
      others.push(`${one.says} ${what}`);
      continue;
    }
    const key = `${one.service ?? ''} ${one.to}`;
    const before = found.get(key);
    found.set(key, before === undefined ? one : joined(before, one));
  }
  return { found: [...found.values()], others };
}

function joined(first: FoundConnection, second: FoundConnection): FoundConnection {
  const password = first.password ?? second.password;
  return {
    ...first,
    says: first.says === second.says ? first.says : `${first.says}, ${second.says}`,
    sources: [...new Set([...first.sources, ...second.sources])],
    files: [...new Set([...first.files, ...second.files])],
    ...(password === undefined ? {} : { password }),
  };
}

/** A settings file is small; whatever is larger is none. */
const MOST_BYTES = 1 << 20;

/** The project in a folder of this machine. */
export function projectIn(folder: string, env: NodeJS.ProcessEnv): Project {
  const read = (path: string): string | undefined => {
    try {
      const { size } = statSync(join(folder, path));
      return size > MOST_BYTES ? undefined : readFileSync(join(folder, path), 'utf8');
    } catch {
      return undefined;
    }
  };
  const outer = (name: string) => env[name];
  const dotenvs = dotenvFiles.flatMap((file) => {
    const text = read(file);
    return text === undefined ? [] : [{ file, values: parseDotenv(text, outer) }];
  });
  return {
    env,
    read,
    list: (path) => {
      try {
        return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((one) =>
          one.isDirectory() ? [one.name] : [],
        );
      } catch {
        return [];
      }
    },
    variable: (name) => {
      const value = env[name];
      if (value !== undefined) return { value };
      const place = dotenvs.find(({ values }) => values.has(name));
      return place && { value: place.values.get(name) ?? '', file: place.file };
    },
  };
}

/** libpq's own, by its variable or in the home folder. */
export function userServiceFile(env: NodeJS.ProcessEnv): string | undefined {
  try {
    return readFileSync(env.PGSERVICEFILE || join(env.HOME || homedir(), '.pg_service.conf'), 'utf8');
  } catch {
    return undefined;
  }
}
