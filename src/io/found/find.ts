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
  const takenInto = project.takenInto.bind(project);
  const own = collect(
    sources.flatMap((source) => source(project)),
    takenInto,
  );
  return own.found.length > 0 ? own : { ...collect(services(serviceFile() ?? ''), takenInto), others: own.others };
}

function collect(raws: readonly Raw[], takenInto: Project['takenInto']): Findings {
  const found = new Map<string, FoundConnection>();
  const others: string[] = [];
  for (const raw of raws) {
    const one = understood(raw, takenInto);
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
    takes: [...new Set([...first.takes, ...second.takes])],
    ...(password === undefined ? {} : { password }),
  };
}

/** A settings file is small; whatever is larger is none. */
const MOST_BYTES = 1 << 20;
/** What is shorter stands anywhere by chance. */
const LEAST_TAKEN = 3;

/** The project in a folder of this machine. */
export function projectIn(folder: string, env: NodeJS.ProcessEnv): Project {
  const texts = new Map<string, string>();
  const read = (path: string): string | undefined => {
    try {
      const { size } = statSync(join(folder, path));
      if (size > MOST_BYTES) return undefined;
      const text = readFileSync(join(folder, path), 'utf8');
      texts.set(path, text);
      return text;
    } catch {
      return undefined;
    }
  };
  /** Variables of the environment that a file has asked for. */
  const asked = new Set<string>();
  const outer = (name: string): string | undefined => {
    asked.add(name);
    return env[name];
  };
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
      const value = outer(name);
      if (value !== undefined) return { value };
      const place = dotenvs.find(({ values }) => values.has(name));
      return place && { value: place.values.get(name) ?? '', file: place.file };
    },
    takenInto: (sent) =>
      [...asked].flatMap((name) => {
        const value = env[name] ?? '';
        if (value.length < LEAST_TAKEN || !sent.some((text) => text.includes(value))) return [];
        return [...texts.values()].some((text) => text.includes(value)) ? [] : [name];
      }),
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
