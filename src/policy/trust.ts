/**
 * What a repository's file may lead somewhere: a password, a token, a login, the transcripts. Whoever can write the repository
 * can write its file, so it counts only where nothing of the person's would go, or once the person has said that it may.
 *
 * What must live here: settings with the level of their file -> what may be used, what has to be asked first, in which
 * sentence. What it must not know: files, terminals, how a connection or a bucket is opened.
 */
import { createHash } from 'node:crypto';
import { DbguardError } from '../errors.js';
import type { PolicySource } from './combine.js';
import type { Config } from './config.js';
import { levels } from './levels.js';
import type { FoundKey, Place } from './yaml-source.js';

/** One place that a command is about to use, as the files together name it. */
export interface Use {
  /** What of a file says so: `connections.main`, `identity`, `bucket`, `default_connection`. */
  readonly about: string;
  /** Where to, for people, on one line and safe to print: `app@db.example.com:5432`. */
  readonly to: string;
  /** What of the person's goes there, for people: `the password in PGPASSWORD`. Empty: nothing does, nothing is asked. */
  readonly carries: readonly string[];
  /** Digest of what it depends on besides the text of the file: the files that it names. */
  readonly depends?: string;
  /** Nothing leaves this machine: the first such place is only remembered; another one after it is asked about. */
  readonly local?: boolean;
}

/** One thing that the person has said of a repository. */
export interface Trusted {
  readonly about: string;
  /** Of everything that decides where it leads; base64url. */
  readonly digest: string;
}

/** A use that nobody has allowed yet. */
export interface Unsaid extends Use, Trusted {
  readonly place: Place;
}

export interface Judged {
  readonly unsaid: readonly Unsaid[];
  /** To be remembered without a question. */
  readonly first: readonly Trusted[];
}

/** `trusted`: what has been said of the repository whose file is among `sources`. */
export function judgeUses(uses: readonly Use[], sources: readonly PolicySource[], trusted: readonly Trusted[]): Judged {
  const unsaid: Unsaid[] = [];
  const first: Trusted[] = [];
  for (const use of uses) {
    const claim = claimOf(use, sources);
    if (claim === undefined || use.carries.length === 0) continue;
    const said = trusted.filter(({ about }) => about === use.about);
    if (said.some(({ digest }) => digest === claim.digest)) continue;
    if (use.local && said.length === 0) first.push({ about: claim.about, digest: claim.digest });
    else unsaid.push(claim);
  }
  return { unsaid, first };
}

/** What a repository's file says of it; undefined where a file of a higher level says it, or none does. */
export function claimOf(use: Use, sources: readonly PolicySource[]): Unsaid | undefined {
  const ordered = levels.flatMap((level) => sources.filter((source) => source.level === level));
  const source = ordered.find(({ config }) => boundKeys(config, use.about).length > 0);
  if (source?.level !== 'repository') return undefined;
  const [head, ...rest] = boundKeys(source.config, use.about);
  if (head === undefined) return undefined;
  const said = [head, ...rest].map(({ section, key, said }) => JSON.stringify([section, key, said])).sort();
  const digest = createHash('sha256')
    .update(`dbguard-trust-v1\n${said.join('\n')}\n${use.depends ?? ''}`)
    .digest('base64url');
  return { ...use, place: head.place, digest };
}

function boundKeys(config: Config, about: string): FoundKey[] {
  return config.keys.filter((found) => found.standing === 'bound' && aboutOf(found) === about);
}

function aboutOf({ section, key }: FoundKey): string {
  return section === '' ? key : section;
}

/** The error of a command that cannot ask. */
export function notTrusted(unsaid: readonly Unsaid[]): DbguardError {
  return new DbguardError('not-trusted', unsaid.map(sentenceOf).join('\n'), {
    hint: 'Read that file. If it is right, say so once: dbguard trust. What stands in your own file (dbguard init --user), or in one that you name with --config, needs no such word.',
  });
}

/** `dbguard.yaml:7:5: connections.main would send the password in PGPASSWORD to app@db:5432, and you have not said ...` */
function sentenceOf({ place, about, carries, to }: Unsaid): string {
  const where = `${place.file}:${place.line}:${place.column}`;
  return `${where}: ${about} would send ${listed(carries)} to ${to}, and you have not said that it may`;
}

/** Before the question at a terminal: one line for each place, then what it is about. */
export function explained(unsaid: readonly Unsaid[]): string[] {
  return unsaid.flatMap(({ about, place, to, carries }) => [
    `${about} (line ${place.line}): ${to}`,
    carries.length === 0 ? '  gets nothing of yours now' : `  gets ${listed(carries)}`,
  ]);
}

function listed(things: readonly string[]): string {
  if (things.length < 2) return things[0] ?? 'nothing of yours';
  return `${things.slice(0, -1).join(', ')} and ${things.at(-1)}`;
}
