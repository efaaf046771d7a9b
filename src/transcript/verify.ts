/**
 * Verifies the lines of one session as they stream by, in memory that does not grow with them.
 *
 * What lives here: chain, numbering, signatures, seals. What it must not know: buckets, tokens, issuers;
 * who holds the session key is told by `identify`.
 */
import type { VerifyingKey } from '../ed25519.js';
import { DbguardError, messageOf } from '../errors.js';
import type { Totals } from './chain.js';
import { Contradictions, type Purpose } from './contradictions.js';
import { disclosedBy, type IsRedacted } from './disclosed.js';
import type { Entry } from './entry.js';
import { Findings } from './finding.js';
import {
  decodeLine,
  decodePayload,
  type EntryLine,
  firstHead,
  isRecord,
  type Line,
  nextHead,
  type PassedDisclosure,
  type ReadDisclosure,
  type SignatureLine,
} from './line.js';
import { sessionTime } from './object-key.js';
import { type OpenDetails, readOpen } from './open-entry.js';
import { isSignedBy, SignatureChecks, type SignaturesWhere } from './signature-checks.js';

/** Who holds the session key, and until when it may sign, in milliseconds since 1970 UTC. */
export interface Identification {
  /** Undefined when the certificate is not to be trusted: then no signature can be either. */
  readonly sessionKey?: VerifyingKey;
  readonly notAfter: number;
}

export interface ApprovalEntries {
  /** A promise is awaited. @param run what the session has shown of itself */
  add(
    entry: Entry,
    disclosed: Readonly<Record<string, unknown>>,
    run: {
      readonly open: OpenDetails | undefined;
      readonly sessionKey: VerifyingKey | undefined;
      readonly findings: Findings;
    },
    segment: number,
  ): Promise<void> | undefined;
}

export interface VerifierParts {
  readonly sid: string;
  /** Judges the opening entry's evidence; reports what is wrong with it to `findings`. */
  readonly identify: (open: OpenDetails, openedAt: number, findings: Findings) => Promise<Identification>;
  readonly isRedacted?: IsRedacted;
  /** Judges what a second person's approval is made of; sees each entry of an intact session. */
  readonly approvals?: ApprovalEntries;
  /** Sees each entry with what it still discloses, in order; also the ones that later turn out to be bad. A promise is awaited. */
  readonly onEntry?: (entry: Entry, disclosed: Readonly<Record<string, unknown>>) => unknown;
  /** What it is to be; default: a session. */
  readonly purpose?: Purpose;
  /** Where Ed25519 is computed; default: the thread pool. */
  readonly signatures?: SignaturesWhere;
}

/** What is asked about, and what becomes of that. */
const maybeApproved: ReadonlySet<string> = new Set(['statement', 'approval', 'verdict', 'grant', 'outcome']);

/** Clocks are set back by seconds all the time. */
const CLOCK_BACK_US = 5_000_000;
/** Between making the id and the first entry the database is connected to, which may take its time. */
const ID_TIME_MS = 60 * 60_000;

export class SessionVerifier {
  readonly findings = new Findings();
  readonly #parts: VerifierParts;
  readonly #contradictions: Contradictions;
  readonly #totals: Totals = { statements: 0, asked: 0, denied: 0 };
  readonly #checks: SignatureChecks;
  #identification: Identification | undefined;
  #expected = 0;
  #head: string;
  #segment = 0;
  #intact = true;
  /** Lines since the last signature are known not to be the ones that were signed. */
  #diverged = false;
  /** The signature that was last found to be the session key's. */
  #vouched = '';
  /** Entry that seals the session. */
  #finalSeal: number | undefined;
  open: OpenDetails | undefined;
  openedAt = 0;
  /** Microseconds since 1970 UTC, by the writer's clock, which may have been set back: of the last entry, and the greatest. */
  lastTime = 0;
  latestInSegment = 0;
  entries = 0;
  signatures = 0;
  redacted = 0;
  /** Entries that are covered by a signature: 0 to this number, exclusive. */
  signedSize = 0;

  constructor(parts: VerifierParts) {
    this.#parts = parts;
    this.#contradictions = new Contradictions(this.findings, (n) => this.#at(n), parts.purpose);
    this.#checks = new SignatureChecks(parts.signatures ?? 'thread-pool');
    this.#head = firstHead(parts.sid);
  }

  /** Sealed by the session itself. A seal that no signature covers is none. */
  get final(): boolean {
    return this.#finalSeal !== undefined && this.signedSize > this.#finalSeal;
  }

  /** There is a final seal, and no signature covers it. */
  get sealedUnsigned(): boolean {
    return this.#finalSeal !== undefined && !this.final;
  }

  get size(): number {
    return this.#expected;
  }

  /** Of the chain after the last line. */
  get head(): string {
    return this.#head;
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  /** True when there is a key that signatures can be held against. */
  get identified(): boolean {
    return this.#identification?.sessionKey !== undefined;
  }

  /** Did this session's own key sign that? Looked at before the line is taken: objects that it did not sign are not its own. */
  async vouchesFor(line: SignatureLine): Promise<boolean> {
    const sessionKey = this.#identification?.sessionKey;
    if (sessionKey === undefined || !(await isSignedBy(sessionKey, this.#parts.sid, line))) return false;
    this.#vouched = line.text;
    return true;
  }

  /** @param segment number of the object that the following lines come from, for findings */
  beginSegment(segment: number): void {
    this.#segment = segment;
    this.latestInSegment = 0;
  }

  /**
   * One line without its newline. Never rejects for what is in it.
   *
   * @param passed what a long line discloses; `text` is then what stands before it
   */
  async line(text: string, passed?: readonly PassedDisclosure[]): Promise<void> {
    let line: Line<ReadDisclosure>;
    let entry: Entry | undefined;
    try {
      line = decodeLine(text, passed);
      if (line.kind === 'entry') entry = decodePayload(line.payload);
    } catch (error) {
      this.#fail('line-malformed', `after entry ${this.#expected - 1}: ${messageOf(error)}`);
      this.#diverged = true;
      return;
    }
    if (line.kind === 'signature') await this.#signature(line);
    else if (entry !== undefined) await this.#entry(entry, line);
  }

  async #entry(entry: Entry, line: EntryLine<ReadDisclosure>): Promise<void> {
    if (!this.#checkPlace(entry)) return;
    if (this.entries === 0) await this.#open(entry);
    else if (entry.k === 'open')
      this.#fail('open-unusable', `entry ${entry.n} opens the session a second time`, entry.n);
    this.entries++;
    this.#checkTime(entry);
    if (entry.k === 'seal') this.#checkSeal(entry);
    this.#head = nextHead(this.#head, line.payload);
    this.#expected = entry.n + 1;
    this.#count(entry);
    // With lines missing or changed nothing fits; that has been said already.
    if (this.#intact) this.#contradictions.add(entry);
    const { values, redacted, intact } = disclosedBy(entry, line.disclosures, {
      findings: this.findings,
      segment: this.#segment,
      isRedacted: this.#parts.isRedacted,
    });
    this.redacted += redacted;
    this.#intact &&= intact;
    if (this.#intact) this.#contradictions.disclosed(entry, values);
    const { approvals } = this.#parts;
    if (approvals && this.#intact && maybeApproved.has(entry.k)) {
      const { open, findings } = this;
      const { sessionKey } = this.#identification ?? {};
      await approvals.add(entry, values, { open, sessionKey, findings }, this.#segment);
    }
    await this.#parts.onEntry?.(entry, values);
  }

  async #signature(line: SignatureLine): Promise<void> {
    const { size, head, text } = line;
    const last = this.#expected - 1;
    if (size === this.signedSize) {
      this.#fail('entry-order', `a signature over ${entries(0, last)} stands twice`, last);
      return;
    }
    if ((size !== this.#expected || head !== this.#head) && !this.#diverged) {
      const message = `${entries(this.signedSize, last)} ${last > this.signedSize ? 'do' : 'does'} not stand there as signed: changed, moved, added or left out`;
      this.#fail('chain-broken', message, this.signedSize);
    }
    const from = this.signedSize;
    this.signedSize = this.#expected;
    this.#diverged = false;
    // From here on the writer's own word for what came before: further changes are found too.
    this.#head = nextHead(head, text);
    await this.#checkSignature(line, from);
  }

  /** After the last line. */
  async end(): Promise<void> {
    await this.#checks.end();
    if (this.entries === 0) this.#fail('open-unusable', 'there is no entry at all');
    else if (this.signatures === 0) this.#fail('signature-invalid', 'nothing is signed');
    const unsigned = this.#expected - this.signedSize;
    if (this.entries > 0 && unsigned > 0) {
      const what = unsigned === 1 ? 'the last entry is unsealed' : `the last ${unsigned} entries are unsealed`;
      this.findings.warn('unsigned-tail', `${what}: no signature covers what was written last, it proves nothing`, {
        n: this.signedSize,
      });
    }
  }

  async #open(entry: Entry): Promise<void> {
    this.openedAt = entry.t / 1000;
    try {
      this.open = readOpen(entry);
      this.#checkId(this.open);
      this.#identification = await this.#parts.identify(this.open, this.openedAt, this.findings);
    } catch (error) {
      if (!(error instanceof DbguardError)) throw error;
      this.#fail('open-unusable', messageOf(error), entry.n);
    }
  }

  #checkId({ previous }: OpenDetails): void {
    const { sid } = this.#parts;
    const fail = (message: string): void => this.findings.fail('contradiction', message, this.#at(0));
    if (previous && (previous.size === undefined) !== (previous.head === undefined))
      fail('the session says how the one before it ended, and says only half of it');
    if (previous?.sid === sid) fail('the session says that it comes after itself');
    const difference = Math.abs(sessionTime(sid) - this.openedAt);
    // Not a number: no session id at all
    if (!(difference <= ID_TIME_MS)) fail('the time in the session’s id is not the one at which it was opened');
  }

  /** False when the entry cannot be put into the chain at all. */
  #checkPlace(entry: Entry): boolean {
    if (this.#finalSeal !== undefined)
      this.#fail('after-final-seal', `entry ${entry.n} stands after the session's final seal`, entry.n);
    if (entry.n < this.#expected) {
      this.#fail(
        'entry-order',
        `entry ${entry.n} stands after entry ${this.#expected - 1}: moved or repeated`,
        entry.n,
      );
      return false;
    }
    if (entry.n > this.#expected) {
      const last = entry.n - 1;
      const which = last === this.#expected ? `entry ${last} is` : `entries ${this.#expected} to ${last} are`;
      this.#fail('entry-missing', `${which} missing`, this.#expected);
      this.#diverged = true;
    }
    return true;
  }

  #checkTime(entry: Entry): void {
    if (entry.t < this.lastTime - CLOCK_BACK_US) {
      const seconds = Math.round((this.lastTime - entry.t) / 1e6);
      this.findings.note(
        'clock-back',
        `the writer's clock went back by ${seconds} s at entry ${entry.n}`,
        this.#at(entry.n),
      );
    }
    this.lastTime = entry.t;
    this.latestInSegment = Math.max(this.latestInSegment, entry.t);
  }

  #checkSeal(entry: Entry): void {
    const { final, totals } = entry.fields;
    // With lines missing the totals are others; that has been said already.
    if (this.#intact && !sameTotals(totals, this.#totals)) {
      this.#fail('seal-wrong', `the totals of the seal ${entry.n} differ from what is there`, entry.n);
    }
    if (final === true) this.#finalSeal = entry.n;
  }

  /** @param from the first entry that no earlier signature covers */
  async #checkSignature(line: SignatureLine, from: number): Promise<void> {
    this.signatures++;
    const { sessionKey, notAfter } = this.#identification ?? {};
    if (sessionKey === undefined || notAfter === undefined) return; // has been said once
    const last = this.#expected - 1;
    // Not `notBefore`: the first entry is held against it, and what follows in the chain is later whatever a clock says.
    if (this.lastTime / 1000 > notAfter) {
      this.#fail('certificate-expired', `entry ${last} was signed after the life of the session key`, last);
    }
    if (this.#vouched === line.text) return; // looked at a moment ago
    const segment = this.#segment;
    await this.#checks.check(sessionKey, this.#parts.sid, line, () => {
      this.#intact = false;
      const message = `the signature over ${entries(from, last)} is not by the session key`;
      this.findings.fail('signature-invalid', message, { n: last, segment });
    });
  }

  #count(entry: Entry): void {
    const { decision } = entry.fields;
    if (entry.k === 'statement') {
      this.#totals.statements++;
      if (decision === 'ask' || decision === 'second-person') this.#totals.asked++;
    } else if (entry.k === 'verdict' && decision !== 'allow') this.#totals.denied++;
  }

  #fail(code: Parameters<Findings['fail']>[0], message: string, n?: number): void {
    this.#intact = false;
    this.findings.fail(code, message, n === undefined ? { segment: this.#segment } : this.#at(n));
  }

  #at(n: number): { n: number; segment: number } {
    return { n, segment: this.#segment };
  }
}

function sameTotals(value: unknown, totals: Readonly<Totals>): boolean {
  if (!isRecord(value)) return false;
  return (['statements', 'asked', 'denied'] as const).every((name) => value[name] === totals[name]);
}

function entries(first: number, last: number): string {
  return last > first ? `entries ${first} to ${last}` : `entry ${last}`;
}
