/**
 * What a project says of its database, before anybody has written a dbguard.yaml: each kind of place is a file beside this
 * one. Everything is read as text; nothing of a project is executed.
 *
 * What must live here: the shape of a find, and how its text becomes a connection. What it must not know: which places
 * there are, who chooses.
 */
import { parseConninfo } from '../upstream/conninfo.js';
import { isKeyword, type Settings } from '../upstream/keywords.js';

/** The project as a source may see it. Paths are relative to its folder, with slashes. */
export interface Project {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where there is no such file, or it is no text of a usual size. */
  read(path: string): string | undefined;
  /** Names in a folder; empty where there is none. */
  list(folder: string): readonly string[];
  /** Variables as the project's own programs would have them: the environment, else its dotenv files. */
  variable(name: string): { readonly value: string; readonly file?: string } | undefined;
  /** Variables of the environment whose values stand in `sent`, and in no file that was read. */
  takenInto(sent: readonly string[]): readonly string[];
}

/** As it stands somewhere; may hold a password. */
export interface Raw {
  /** For people: `DATABASE_URL in .env`. */
  readonly says: string;
  /** What `--from` takes: the file, or the variable. */
  readonly source: string;
  /** File of the project in which the password can be read. */
  readonly file?: string;
  /** A connection string in any common spelling, or its parts. */
  readonly text?: string;
  readonly parts?: Readonly<Partial<Record<'host' | 'port' | 'dbname' | 'user' | 'password' | 'service', string>>>;
  /** A container of this machine. */
  readonly container?: boolean;
}

export type Source = (project: Project) => readonly Raw[];

export interface FoundConnection {
  readonly says: string;
  readonly sources: readonly string[];
  /** libpq keywords without the password: what dbguard.yaml takes as `url`. Empty: libpq's variables say everything. */
  readonly url: string;
  readonly service?: string;
  readonly password?: string;
  /** `app@db.example.com:5432/shop`, safe to print but for control characters. */
  readonly to: string;
  readonly database?: string;
  /** Files of the project that hold the password. */
  readonly files: readonly string[];
  /** Variables of the environment that a file of the project puts into it: the file says where they go. */
  readonly takes: readonly string[];
  readonly container: boolean;
}

/** A find, or why it is none: `mysql`, another kind of database; `unreadable`. */
export type Understood = FoundConnection | { readonly other: string; readonly says: string };

/** @param takenInto see Project */
export function understood(raw: Raw, takenInto: Project['takenInto'] = () => []): Understood {
  const { says, source, file, container = false } = raw;
  const scheme = /^(?:jdbc:)?([a-z][a-z0-9+.-]*):/i.exec(raw.text ?? '')?.[1]?.toLowerCase();
  if (raw.text !== undefined && scheme !== undefined && !isPostgres(scheme)) return { other: scheme, says };
  let settings: Settings;
  try {
    settings = raw.text === undefined ? new Map() : parseConninfo(inLibpqsWords(raw.text));
  } catch {
    return { other: 'unreadable', says };
  }
  for (const [name, value] of Object.entries(raw.parts ?? {}))
    if (isKeyword(name) && value !== undefined && value !== '') settings.set(name, value);
  const password = settings.get('password');
  const service = settings.get('service');
  settings.delete('password');
  settings.delete('service');
  const database = settings.get('dbname');
  const sent = [raw.text ?? '', ...Object.values(raw.parts ?? {}), ...settings.values(), password ?? ''];
  return {
    says,
    sources: [source],
    url: [...settings].map(([name, value]) => `${name}=${quoted(value)}`).join(' '),
    ...(service === undefined ? {} : { service }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    to: service === undefined ? placeOf(settings) : `the service ${service}`,
    files: file !== undefined && password !== undefined ? [file] : [],
    takes: file === undefined ? [] : takenInto(sent),
    container,
  };
}

function isPostgres(scheme: string): boolean {
  return /^(?:postgres|postgresql|postgis|pgsql|psql)(?:\+\w+)?$/.test(scheme);
}

/** Parameters that frameworks put into the URL for themselves, and that libpq would refuse. */
function inLibpqsWords(text: string): string {
  const uri = /^(?:jdbc:)?(?:postgres|postgresql|postgis|pgsql|psql)(?:\+\w+)?:\/\/([^?#]*)(?:\?([^#]*))?/i.exec(
    text.trim(),
  );
  if (!uri) return text;
  const [, place = '', query = ''] = uri;
  const kept = query.split('&').filter((pair) => {
    const [name = '', value] = pair.split('=');
    return (isKeyword(name) && value !== undefined) || pair === 'ssl=true';
  });
  const login = /^([^@]*)@(.*)$/s.exec(place);
  return `postgresql://${login ? `${encoded(login[1] ?? '')}@${login[2]}` : place}${kept.length > 0 ? `?${kept.join('&')}` : ''}`;
}

/** A slash in a password is common, and no reader of URLs but libpq minds. */
function encoded(login: string): string {
  return login.replaceAll('/', '%2F');
}

function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}

function placeOf(settings: Settings): string {
  const login = settings.has('user') ? `${settings.get('user')}@` : '';
  const port = settings.get('port') ?? '5432';
  const address = settings.get('hostaddr');
  const host = settings.get('host') ?? address ?? 'localhost';
  // that is where it goes, whatever it is called
  const really = address === undefined || address === host ? '' : ` (at the address ${address})`;
  return `${login}${host}:${port}/${settings.get('dbname') ?? settings.get('user') ?? ''}${really}`;
}
