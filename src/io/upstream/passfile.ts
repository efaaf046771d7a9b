/** The password file (PostgreSQL manual, "The Password File"): `hostname:port:database:username:password` a line. */
import { readFile, stat } from 'node:fs/promises';
import type { UpstreamHost } from './config.js';
import { Secret } from './secret.js';

/** The folders that `localhost` in a password file stands for, too. */
const defaultSocketFolders: readonly string[] = ['/tmp', '/var/run/postgresql', '/run/postgresql'];

export interface FoundPassword {
  readonly password: Secret | undefined;
  /** What stood in the way, for the hint of an error: a passfile that was ignored. */
  readonly note: string | undefined;
}

export interface Login {
  readonly host: UpstreamHost;
  readonly user: string;
  readonly database: string;
}

export async function findInPassfile(path: string | undefined, login: Login): Promise<FoundPassword> {
  if (path === undefined) return { password: undefined, note: undefined };
  const refused = await reasonToIgnore(path);
  if (refused !== undefined) return { password: undefined, note: refused || undefined };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return { password: undefined, note: `The password file ${path} cannot be read.` };
  }
  return { password: lookUpPassword(text, login), note: undefined };
}

/** '' where there is simply no file; undefined where it may be used. */
async function reasonToIgnore(path: string): Promise<string | undefined> {
  try {
    const file = await stat(path);
    if (!file.isFile()) return `The password file ${path} was ignored: it is not a plain file.`;
    if (process.platform !== 'win32' && file.mode & 0o077) {
      return `The password file ${path} was ignored: others may read it (chmod 0600 '${path}').`;
    }
    return undefined;
  } catch {
    return '';
  }
}

/** The first line that matches decides. */
export function lookUpPassword(text: string, { host, user, database }: Login): Secret | undefined {
  const name = host.host || (host.hostaddr ?? '');
  const names = defaultSocketFolders.includes(name) ? [name, 'localhost'] : [name];
  const wanted = [names, [String(host.port)], [database], [user]];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = splitFields(line.replace(/\r$/, ''));
    const password = fields[4];
    if (password === undefined) continue;
    const matches = wanted.every((values, index) => {
      const field = fields[index];
      return field?.raw === '*' || values.some((value) => value === field?.text);
    });
    if (matches) return password.text === '' ? undefined : new Secret(password.text);
  }
  return undefined;
}

interface Field {
  /** Without escapes. */
  readonly text: string;
  /** As written: an escaped `\*` is a name, not a wildcard. */
  readonly raw: string;
}

/** Fields end at a colon; a backslash takes the next character as it is. */
function splitFields(line: string): Field[] {
  const fields: Field[] = [];
  for (const [, raw = '', end] of line.matchAll(/((?:\\.|[^:])*)(:|$)/g)) {
    fields.push({ raw, text: raw.replace(/\\(.)/g, '$1') });
    if (end === '') break;
  }
  return fields;
}
