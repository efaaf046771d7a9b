/**
 * What leaves a statement for people and for the disk: its text and bind values without secrets, and a digest that
 * binds what was really sent. The bytes that go to the server are not touched.
 *
 * What lives here: the last texts that were looked at. What it must not know: what a secret is (sql/secrets).
 */
import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Facts } from '../../sql/facts.js';
import { worthLooking } from '../../sql/secrets/credentials.js';
import type { Secrets } from '../../sql/secrets/finder.js';
import {
  argumentsIn,
  hiddenMark,
  noSecrets,
  parametersNamedBy,
  scrubbed,
  secretsIn,
  secretsInSteps,
  secretsOfValue,
  withoutSecrets,
} from '../../sql/secrets/secrets.js';
import type { Candidate } from '../candidate.js';
import type { DryRun, Impact, ImpactLine } from './asker.js';
import { finishedWithin, inTurns } from './in-turns.js';
import { RecentMap } from './recent-map.js';

/** A statement as it may be written down and shown. */
export interface Told {
  readonly sql: string;
  readonly bind: readonly (string | null)[];
  /** Places of the bind values that are bytes in hex, without those that are hidden. */
  readonly hex?: readonly number[] | undefined;
  readonly runs: readonly string[];
  /** Something is missing in it. */
  readonly hides: boolean;
  /** A text that the server or an analysis made of the statement. */
  readonly clean: (text: string) => string;
}

const maxTexts = 500;
/** Characters: longer texts are looked through in pieces, and remembered only for a while. */
const maxRemembered = 20_000;
const longTexts = { entries: 8, size: 4 << 20 };
/** Of one turn of the event loop. */
const turnMs = 5;
/** Characters of a bind value that is no parameter for a secret by the statement's text. */
const maxSearched = 64 * 1024;
/** RFC 7677, section 4: as much as PostgreSQL asks of one who has its own verifier and guesses. */
const iterations = 4096;

export class SecretKeeper {
  readonly #known = new Map<string, Secrets>();
  readonly #long = new RecentMap<Secrets>(longTexts);
  /** Of this process alone: a digest that tells two statements apart and nothing else to anybody. */
  readonly #key = randomBytes(32);

  /** Looks through a long text in turns that hold nobody up. Undefined where it is known, or short. */
  lookThrough(sql: string, { unparseable }: Facts): Promise<void> | undefined {
    if (sql.length <= maxRemembered || this.#long.get(sql) !== undefined) return undefined;
    const steps = secretsInSteps(sql, unparseable === undefined);
    const found = finishedWithin(steps, turnMs);
    if (found !== undefined) {
      this.#long.set(sql, found.value);
      return undefined;
    }
    return inTurns(steps, turnMs).then((late) => this.#long.set(sql, late));
  }

  /** Of a text that runs by itself. */
  text(sql: string, facts: Facts): string {
    return shownText(sql, this.#in(sql, facts.unparseable !== undefined));
  }

  tell(candidate: Candidate): Told {
    const { sql, facts, bindValues: bind = [], runs = [], bytesAmongValues: hex } = candidate;
    const unreadable = facts.unparseable !== undefined;
    const own = this.#in(sql, unreadable);
    if (own === noSecrets && runs.length === 0 && !sql.startsWith('\\x') && bind.every(isHarmless)) {
      return { sql, bind, hex, runs, hides: false, clean: asItIs };
    }
    const ran = runs.map((text) => ({ text, secrets: this.#in(text, false) }));
    // EXECUTE hands its values over in the text
    const handed = ran.some(({ secrets }) => secrets.parameters === 'all' || secrets.parameters.size > 0);
    const secrets = handed ? argumentsIn(sql) : own;
    const named = parametersNamedBy(sql, bind);
    const shownBind = bind.map((value, place) => this.#value(value, place, secrets, named));
    const shown = shownText(sql, secrets);
    const hidden = shownBind.some((value, place) => value !== bind[place]);
    return {
      sql: shown,
      bind: hidden ? shownBind : bind,
      hex: hidden ? hex?.filter((place) => shownBind[place] === bind[place]) : hex,
      runs: ran.map(({ text, secrets }) => withoutSecrets(text, secrets)),
      hides: shown !== sql || hidden,
      clean: (text) => scrubbed(text, secrets),
    };
  }

  /** For the transcript: binds what was sent, for those who know it, and tells nobody else. */
  commitment(sql: string, bind: readonly (string | null)[]): { salt: string; digest: string } {
    const salt = randomBytes(16);
    const sent = Buffer.from(JSON.stringify([sql, bind]));
    const digest = pbkdf2Sync(sent, salt, iterations, 32, 'sha256').toString('base64url');
    return { salt: salt.toString('base64url'), digest };
  }

  /** The same for the same statement, as long as this process lives. */
  identity({ sql, bindValues = [] }: Candidate): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([sql, bindValues]))
      .digest('base64url');
  }

  #value(value: string | null, place: number, { parameters }: Secrets, named: Secrets['parameters']): string | null {
    if (value === null) return null;
    if ([parameters, named].some((secret) => secret === 'all' || secret.has(place + 1))) return hiddenMark;
    if (value.length > maxSearched) return value;
    const bytes = /^\\x(?:[0-9a-f]{2})+$/.test(value) ? Buffer.from(value.slice(2), 'hex').toString('utf8') : undefined;
    if (bytes !== undefined) return secretsOfValue(bytes).ranges.length > 0 ? hiddenMark : value;
    return withoutSecrets(value, secretsOfValue(value));
  }

  #in(sql: string, unreadable: boolean): Secrets {
    if (sql.length > maxRemembered) return this.#long.get(sql) ?? secretsIn(sql, !unreadable);
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const found = secretsIn(sql, !unreadable);
    this.#known.set(sql, found);
    if (this.#known.size > maxTexts) for (const oldest of this.#known.keys()) return this.#forget(oldest, found);
    return found;
  }

  #forget(sql: string, found: Secrets): Secrets {
    this.#known.delete(sql);
    return found;
  }
}

/** Nothing of it can be hidden, as with nearly all values. */
function isHarmless(value: string | null): boolean {
  return value === null || !(value.startsWith('\\x') || worthLooking(value));
}

const asItIs = (text: string): string => text;

/** A text that is not valid in its encoding stands as bytes in hex. */
function shownText(sql: string, secrets: Secrets): string {
  if (!/^\\x(?:[0-9a-f]{2})+$/.test(sql)) return secrets === noSecrets ? sql : withoutSecrets(sql, secrets);
  const read = Buffer.from(sql.slice(2), 'hex').toString('latin1');
  return secretsIn(read, false).ranges.length > 0 ? `\\x${hiddenMark}` : sql;
}

/** What was found out about a statement, without what it repeats of it. */
export function cleanImpact(impact: Impact, clean: Told['clean']): Impact {
  return { ...impact, lines: cleanLines(impact.lines, clean) };
}

export function cleanDryRun(dryRun: DryRun, clean: Told['clean']): DryRun {
  if ('refused' in dryRun) return { refused: clean(dryRun.refused) };
  const cell = (value: string | null): string | null => (value === null ? null : clean(value));
  const rows = dryRun.rows.map(({ cells, ...row }) => ({
    ...row,
    cells: cells.map((one) => ({
      ...one,
      value: cell(one.value),
      ...(one.was === undefined ? {} : { was: cell(one.was) }),
    })),
  }));
  return { lines: cleanLines(dryRun.lines, clean), rows };
}

function cleanLines(lines: readonly ImpactLine[], clean: Told['clean']): ImpactLine[] {
  return lines.map((line) => ({ ...line, text: clean(line.text) }));
}
