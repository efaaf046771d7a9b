/** Connection service files (PostgreSQL manual, "The Connection Service File"): INI sections of connection parameters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalid, setKeyword } from './conninfo.js';
import { isKeyword, type Settings } from './keywords.js';

/** Section `name` of the user's file, or of the system's. Throws DbguardError `config-invalid` where neither has it. */
export function readService(name: string, env: NodeJS.ProcessEnv, home: string): Settings {
  const named = env.PGSERVICEFILE;
  if (named && readIfThere(named) === undefined) {
    throw invalid(`the service file ${named} cannot be read`, 'Check PGSERVICEFILE.');
  }
  const system = env.PGSYSCONFDIR ? [join(env.PGSYSCONFDIR, 'pg_service.conf')] : systemPlaces;
  const places = [named || join(home, '.pg_service.conf'), ...system];
  for (const path of places) {
    const text = readIfThere(path);
    const settings = text === undefined ? undefined : findSection(text, name, path);
    if (settings) return settings;
  }
  throw invalid(
    `there is no service "${name}" in ${places.join(' or ')}`,
    `Add a section [${name}] there, or set PGSERVICEFILE to the file that has it.`,
  );
}

/** Where Debian, Red Hat and a build from source put it. */
const systemPlaces: readonly string[] = [
  '/etc/postgresql-common/pg_service.conf',
  '/etc/pg_service.conf',
  '/usr/local/pgsql/etc/pg_service.conf',
];

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function findSection(text: string, name: string, path: string): Settings | undefined {
  let found: Settings | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const where = `line ${index + 1} of ${path}`;
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found) return found;
      if (line === `[${name}]`) found = new Map();
      continue;
    }
    if (!found) continue;
    const equals = line.indexOf('=');
    if (equals < 0) throw invalid(`syntax error in ${where}`, 'A line is a section in brackets or keyword=value.');
    const keyword = line.slice(0, equals);
    if (keyword === 'service') {
      throw invalid(`a service cannot name another service: ${where}`, 'Repeat the parameters instead.');
    }
    // The first of two counts, as in libpq.
    if (!isKeyword(keyword) || !found.has(keyword)) setKeyword(found, keyword, line.slice(equals + 1), where);
  }
  return found;
}
