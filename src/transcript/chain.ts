/**
 * Bodies become lines: numbered, timed, chained to the line before, disclosures salted and digested; and signatures
 * over what there is so far.
 *
 * What lives here: the state of one session's chain. What it must not know: files, keys, when to sign, who waits for
 * what. It is on the way of every statement: one SHA-256 for the chain, one per disclosure, and string building.
 */
import { DbguardError } from '../errors.js';
import { type Disclosures, type EntryBody, type JsonValue, RawJson, RepeatedBody, type Signer } from './entry.js';
import {
  digest,
  disclosureText,
  entryLine,
  firstHead,
  LONGEST_PAYLOAD,
  MAX_DISCLOSED,
  nextHead,
  signatureLine,
  signedBytes,
} from './line.js';

export interface ChainSources {
  /** Microseconds since 1970 UTC. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface Link {
  readonly n: number;
  /** With its newline. */
  readonly line: string;
}

/** What a session held up to a seal. */
export interface Totals {
  statements: number;
  asked: number;
  denied: number;
}

/** 22 characters of base64url carry 132 random bits; RFC 9901 section 9.3 recommends 128. */
const SALT_LENGTH = 22;
const POOL_BYTES = 3 * 4096;
const KEYS_KEPT = 200;

export class Chain {
  readonly #sources: ChainSources;
  readonly #sid: string;
  readonly totals: Totals = { statements: 0, asked: 0, denied: 0 };
  /** Field names as they stand in JSON, with comma and colon. */
  readonly #keys = new Map<string, string>();
  #n = 0;
  #head: string;
  #salts = '';
  #saltAt = 0;
  /** Of the time of the last entry: the whole seconds, and those as text. */
  #second = -1;
  #secondText = '';

  constructor(sid: string, sources: ChainSources) {
    this.#sources = sources;
    this.#sid = sid;
    this.#head = firstHead(sid);
  }

  /** Entries so far: the number of the next one. */
  get size(): number {
    return this.#n;
  }

  /** Of everything so far, signatures included: SHA-256, base64url. */
  get head(): string {
    return this.#head;
  }

  /** Throws TypeError for a field that the chain itself writes, `limit-exceeded` for more text than a reader would take. */
  add(given: EntryBody | RepeatedBody, disclosures?: Disclosures): Link {
    const body = given instanceof RepeatedBody ? given.body : given;
    const fields = given instanceof RepeatedBody ? this.#fieldsOnce(given) : this.#fields(body);
    const texts: string[] = [];
    const commitments = disclosures === undefined ? '' : this.#disclose(disclosures, texts);
    const n = this.#n;
    const payload = `{"n":${n},"t":${this.#time()},"k":"${body.k}"${fields}${commitments}}`;
    if (payload.length > LONGEST_PAYLOAD / 3 && Buffer.byteLength(payload) > LONGEST_PAYLOAD) throw tooLong();
    // Nothing above changes the chain: an entry that cannot be made leaves it as it was.
    this.#head = nextHead(this.#head, payload);
    this.#n = n + 1;
    this.#count(body);
    return { n, line: `${texts.length === 0 ? payload : entryLine(payload, texts)}\n` };
  }

  /** A line, with its newline, by which the signer vouches for everything so far. */
  sign(signer: Signer): string {
    const signature = signer.sign(signedBytes(this.#sid, this.#n, this.#head));
    const line = signatureLine(this.#n, this.#head, signature);
    this.#head = nextHead(this.#head, line);
    return `${line}\n`;
  }

  /** The body of a seal over everything so far: closes a segment, and with `final` the session. */
  seal(final: boolean): EntryBody {
    const body = { k: 'seal', totals: { ...this.totals } } as const;
    return final ? { ...body, final } : body;
  }

  /** Microseconds as text. Turning the large number into digits would cost as much as hashing them. */
  #time(): string {
    const time = this.#sources.now();
    const second = Math.floor(time / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = String(second);
    }
    const rest = time - second * 1e6;
    return second > 0 && Number.isInteger(rest) ? this.#secondText + String(1e6 + rest).slice(1) : String(time);
  }

  #fieldsOnce(repeated: RepeatedBody): string {
    repeated.text ??= this.#fields(repeated.body);
    return repeated.text;
  }

  #fields(body: EntryBody): string {
    let text = '';
    for (const key in body) {
      if (key === 'k') continue;
      const value = body[key];
      if (value === undefined) continue;
      text += (this.#keys.get(key) ?? this.#learnKey(key)) + json(value);
    }
    return text;
  }

  #learnKey(key: string): string {
    if (['n', 't', 'c'].includes(key)) throw new TypeError(`the field ${key} belongs to the chain`);
    const text = `,${JSON.stringify(key)}:`;
    if (this.#keys.size < KEYS_KEPT) this.#keys.set(key, text);
    return text;
  }

  #disclose(disclosures: Disclosures, texts: string[]): string {
    let commitments = '';
    let length = 0;
    for (const name in disclosures) {
      const value = disclosures[name];
      if (value === undefined) continue;
      length += lengthOf(value);
      if (length > MAX_DISCLOSED) throw tooLong();
      const text = disclosureText(this.#salt(), name, typeof value === 'string' ? json(value) : list(value));
      texts.push(text);
      commitments += `${commitments === '' ? ',"c":{' : ','}${json(name)}:"${digest(text)}"`;
    }
    return commitments === '' ? '' : `${commitments}}`;
  }

  /** From a pool: asking the system for randomness costs more than the rest of a disclosure. */
  #salt(): string {
    if (this.#saltAt + SALT_LENGTH > this.#salts.length) {
      this.#salts = Buffer.from(this.#sources.randomBytes(POOL_BYTES)).toString('base64url');
      this.#saltAt = 0;
    }
    const at = this.#saltAt;
    this.#saltAt = at + SALT_LENGTH;
    return this.#salts.slice(at, this.#saltAt);
  }

  #count(body: EntryBody): void {
    if (body.k === 'statement') {
      this.totals.statements++;
      if (body.decision === 'ask' || body.decision === 'second-person') this.totals.asked++;
    } else if (body.k === 'verdict' && body.decision !== 'allow') this.totals.denied++;
  }
}

/** Most values are numbers and words. */
function list(values: readonly (string | null)[]): string {
  let text = '';
  for (const value of values) text += `${text === '' ? '[' : ','}${value === null ? 'null' : json(value)}`;
  return text === '' ? '[]' : `${text}]`;
}

/** Words and command tags: nothing in them is escaped. */
const isPlain = /^[\w :.-]{0,40}$/;

function tooLong(): DbguardError {
  return new DbguardError('limit-exceeded', 'the statement is too long to be recorded', {
    hint: `Statements and bind values of more than ${MAX_DISCLOSED / 1024 / 1024} million characters do not run; use COPY.`,
  });
}

/** Characters, before they are escaped. */
function lengthOf(value: string | readonly (string | null)[]): number {
  if (typeof value === 'string') return value.length;
  return value.reduce((sum, one) => sum + (one?.length ?? 0), 0);
}

/** As JSON.stringify, with the JSON of RawJson as it is. */
function json(value: JsonValue | RawJson): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'string' && isPlain.test(value)) return `"${value}"`;
  return value instanceof RawJson ? value.json : JSON.stringify(value);
}
