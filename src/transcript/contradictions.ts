/**
 * What no honest writer writes, although every signature holds: statements that ran without being let through,
 * verdicts behind outcomes, answers to nothing. FORMAT.md lists them.
 *
 * What lives here: what each statement still owes, in memory that does not grow with the session but for five bits an
 * entry. What it must not know: signatures, chains, where lines come from.
 */
import { ConnectionChecks } from './connection-checks.js';
import type { Entry } from './entry.js';
import { byNobody, checkOf, disclosable, fieldsOf, isFacts, neededBy } from './entry-fields.js';
import { type Findings, quoted } from './finding.js';
import { IntentChecks } from './intent-checks.js';
import { RecordingChecks } from './recording-checks.js';
import { RoleChecks } from './role-checks.js';
import { SecondPersonChecks } from './second-person-checks.js';

/** What a statement waits for. A missing cell in `owed`: it owes nothing any more. */
type State = 'asked' | 'denied' | 'through';

const afterStatement: Readonly<Record<string, State>> = {
  allow: 'through',
  ask: 'asked',
  'second-person': 'asked',
  deny: 'denied',
};

/** Who decides about one statement, and whose approval may stand for a whole transaction. */
const personally: ReadonlySet<unknown> = new Set(['person', 'second-person']);
const forTransaction: ReadonlySet<unknown> = new Set([...personally, 'earlier-approval']);

const ran: ReadonlySet<unknown> = new Set(['done', 'failed', 'lost', 'undone']);

/** A bind value in binary format: FORMAT.md, `hex`. */
const BYTES = /^\\x(?:[0-9a-f]{2})*$/;

/** Sessions of people and workloads hold no redactions; redactions hold nothing else. */
export type Purpose = 'session' | 'redaction';
const ofRedactions: ReadonlySet<string> = new Set(['open', 'redaction', 'seal']);

/** A client may pipeline any number; no writer keeps more in memory than this. */
const MAX_WAITING = 1 << 20;
/** Names of kinds and fields that are said once each. */
const MAX_UNKNOWN = 20;

export class Contradictions {
  readonly #findings: Findings;
  readonly #where: (n: number) => { readonly n: number; readonly segment: number };
  readonly #owed = new Map<number, State>();
  readonly #statements = new NumberSet();
  /** Entries that disclose a text, and that have facts in full. */
  readonly #texts = new NumberSet();
  readonly #facts = new NumberSet();
  readonly #letThrough = new NumberSet();
  /** Statements that somebody let through for themselves alone. */
  readonly #approved = new NumberSet();
  /** Statements whose approval others of their transaction may stand under. */
  readonly #covering = new NumberSet();
  readonly #secondPerson: SecondPersonChecks;
  readonly #roles: RoleChecks;
  readonly #connections: ConnectionChecks;
  readonly #recordings: RecordingChecks;
  readonly #intents: IntentChecks;
  readonly #unknown = new Set<string>();
  readonly #purpose: Purpose;

  constructor(
    findings: Findings,
    where: (n: number) => { readonly n: number; readonly segment: number },
    purpose: Purpose = 'session',
  ) {
    this.#findings = findings;
    this.#where = where;
    this.#purpose = purpose;
    const fail = (n: number, message: string): void => this.#fail(n, message);
    this.#secondPerson = new SecondPersonChecks(fail);
    this.#recordings = new RecordingChecks(fail);
    this.#intents = new IntentChecks(fail);
    this.#connections = new ConnectionChecks(
      fail,
      (of) => this.#approved.has(of) && this.#owed.get(Number(of)) === 'through',
    );
    this.#roles = new RoleChecks(fail, {
      isApproved: (of) => this.#approved.has(of),
      isOfClient: (of) => !this.#connections.isRequest(of),
      isUnderWay: (of) => this.#owed.get(Number(of)) === 'through',
    });
  }

  /** Every entry, in the order of its number, without gaps. */
  add(entry: Entry): void {
    this.#checkPurpose(entry);
    this.#checkFields(entry);
    switch (entry.k) {
      case 'open':
        this.#connections.open(entry);
        break;
      case 'connection':
        this.#connections.client(entry);
        break;
      case 'intent':
        this.#intents.intent(entry);
        break;
      case 'parse':
        this.#checkText(entry);
        break;
      case 'statement':
        this.#statement(entry);
        break;
      case 'dry-run':
        if (this.#stateOf(entry) !== 'asked') this.#say(entry, 'a dry run', 'that nobody is being asked about');
        break;
      case 'approval':
        if (this.#stateOf(entry) === 'asked') this.#secondPerson.approval(entry);
        else this.#say(entry, 'part of an approval', 'that nobody is being asked about');
        break;
      case 'verdict':
        this.#verdict(entry);
        break;
      case 'window':
        this.#window(entry);
        break;
      case 'grant':
        if (!this.#roles.grant(entry)) this.#say(entry, 'a role', 'that nobody has approved, or that has one');
        break;
      case 'outcome':
        this.#outcome(entry);
        break;
      case 'recording':
        this.#recordings.add(entry);
        break;
      case 'seal':
        if (entry.fields.final !== true) break;
        this.#recordings.sealed(entry);
        this.#sealed(entry);
    }
  }

  #checkPurpose({ n, k }: Entry): void {
    if (this.#purpose === 'session' && k === 'redaction')
      this.#fail(n, `entry ${n} is a redaction, in a session that is none`);
    // a kind that nobody knows is said already
    else if (this.#purpose === 'redaction' && !ofRedactions.has(k) && fieldsOf(k) !== undefined)
      this.#fail(n, `entry ${n} (${k}) stands in a redaction`);
  }

  #window(entry: Entry): void {
    const { event, of, why, connection } = entry.fields;
    if (event !== 'end' && connection !== undefined) this.#connections.begin(entry);
    else if (event !== 'end' || why === undefined || !this.#connections.end(of)) this.#roles.window(entry);
  }

  #statement(entry: Entry): void {
    const { n } = entry;
    const { continues, decision } = entry.fields;
    if (continues !== undefined && !this.#letThrough.has(continues))
      this.#fail(n, `statement ${n} continues one that was not let through`);
    if (continues !== undefined && 'bind' in entry.c)
      this.#fail(n, `statement ${n} continues another one, and has values of its own`);
    if (entry.fields.hex !== undefined && !('bind' in entry.c))
      this.#fail(n, `statement ${n} says which of its values are bytes, and has none`);
    this.#checkText(entry);
    this.#statements.add(n);
    const state = continues === undefined ? afterStatement[String(decision)] : 'through';
    if (state === undefined) this.#fail(n, `statement ${n} has no decision`);
    else if (continues !== undefined && decision !== undefined)
      this.#fail(n, `statement ${n} continues another one, and has a decision of its own`);
    else this.#owe(n, state);
    this.#secondPerson.statement(entry);
    this.#connections.statement(entry);
    this.#intents.statement(entry);
  }

  /** Exactly one: a text of its own, an earlier entry's, or more rows of a statement that has one. */
  #checkText({ n, k, c, fields: { text, facts, continues } }: Entry): void {
    const sources = ['sql' in c, text !== undefined, continues !== undefined].filter(Boolean).length;
    if (sources === 0) this.#fail(n, `${k} ${n} has no text`);
    else if (sources > 1) this.#fail(n, `${k} ${n} has more than one text`);
    else if (text !== undefined && !this.#texts.has(text))
      this.#fail(n, `${k} ${n} has its text from an entry that has none`);
    if ('sql' in c) this.#texts.add(n);
    if (typeof facts === 'number' && !this.#facts.has(facts))
      this.#fail(n, `${k} ${n} has its facts from an entry that has none`);
    if (isFacts(facts)) this.#facts.add(n);
  }

  #verdict(entry: Entry): void {
    const state = this.#stateOf(entry);
    this.#secondPerson.verdict(entry);
    const { of, decision, by, under, scope } = entry.fields;
    const allows = decision === 'allow';
    if (allows ? byNobody.has(by) : by === 'earlier-approval')
      this.#fail(entry.n, `verdict ${entry.n} is ${String(decision)} by ${String(by)}, which never decides so`);
    if (state === undefined || state === 'through') {
      this.#say(entry, 'a verdict', 'that waits for none');
      return;
    }
    if (allows && state === 'denied') this.#say(entry, 'an approval', 'that a rule denies');
    if (under !== undefined && !(allows && this.#covering.has(under)))
      this.#fail(entry.n, `verdict ${entry.n} stands under an approval that is none`);
    if ((scope === 'transaction') !== (under !== undefined))
      this.#fail(
        entry.n,
        `verdict ${entry.n} is for a transaction, and under no approval of it, or the other way round`,
      );
    if (allows && under === undefined) {
      if (personally.has(by) && scope !== 'session') this.#approved.add(Number(of));
      if (forTransaction.has(by)) this.#covering.add(Number(of));
    }
    if (allows) this.#owe(Number(of), 'through');
    else {
      this.#owed.delete(Number(of));
      this.#connections.settled(of);
    }
  }

  #outcome(entry: Entry): void {
    const state = this.#stateOf(entry);
    const { of, how } = entry.fields;
    this.#secondPerson.settled(of);
    this.#roles.outcome(entry);
    this.#connections.settled(of);
    if (state === undefined) this.#say(entry, 'an outcome', 'that waits for none');
    else if (state !== 'through' && ran.has(how))
      this.#say(entry, `the outcome ${String(how)}`, `that ${state === 'asked' ? 'nobody has approved' : 'is denied'}`);
    this.#owed.delete(Number(of));
  }

  #sealed({ n }: Entry): void {
    const owing = new Map<State, number[]>([
      ['through', []],
      ['asked', []],
      ['denied', []],
    ]);
    for (const [of, state] of this.#owed) owing.get(state)?.push(of);
    for (const [state, list] of owing) {
      const [first] = list;
      if (first === undefined) continue;
      const others = list.length > 1 ? ` and ${list.length - 1} more` : '';
      const what = state === 'through' ? 'no outcome' : 'neither verdict nor outcome';
      this.#fail(n, `the session is sealed, and statement ${first}${others} has ${what}`);
    }
  }

  #owe(n: number, state: State): void {
    if (this.#owed.size >= MAX_WAITING) {
      this.#fail(n, `${MAX_WAITING} statements wait for their outcomes at once`);
      this.#owed.clear();
      this.#roles.forget();
      this.#secondPerson.forget();
    }
    if (state === 'through') this.#letThrough.add(n);
    this.#owed.set(n, state);
  }

  #stateOf({ fields: { of } }: Entry): State | undefined {
    return typeof of === 'number' ? this.#owed.get(of) : undefined;
  }

  #say({ n, k, fields: { of } }: Entry, what: string, why: string): void {
    const which = this.#statements.has(of) ? `statement ${of}, ${why}` : 'no statement';
    this.#fail(n, `entry ${n} (${k}) is ${what} of ${which}`);
  }

  /** Types and words of fields; what version 1 does not know is said once. */
  #checkFields({ n, k, fields }: Entry): void {
    const known = fieldsOf(k);
    if (known === undefined) {
      if (this.#isNew(k)) {
        const message = `entry ${n} is of the kind ${quoted(k)}, which this dbguard does not know: what it says is not judged`;
        this.#findings.warn('unknown-kind', message, this.#where(n));
      }
      return;
    }
    for (const name of neededBy(k)) {
      if (fields[name] === undefined) this.#fail(n, `entry ${n} (${k}) says no ${name}`);
    }
    for (const name in fields) {
      const check = checkOf(known, name);
      if (check === undefined) {
        if (this.#isNew(`${k}.${name}`))
          this.#findings.note(
            'unknown-field',
            `entry ${n} (${k}) has a field ${quoted(name)}, which this dbguard does not know`,
            this.#where(n),
          );
      } else if (!check(fields[name])) this.#fail(n, `${name} of entry ${n} (${k}) is nothing that may stand there`);
    }
  }

  /** Of what type the values are that still stand there. */
  disclosed({ n, k, fields }: Entry, values: Readonly<Record<string, unknown>>): void {
    if (k === 'statement' && Array.isArray(fields.hex) && Array.isArray(values.bind))
      this.#checkBytes(n, fields.hex, values.bind);
    const known = Object.hasOwn(disclosable, k) ? (disclosable[k] ?? {}) : {};
    for (const [name, value] of Object.entries(values)) {
      const type = Object.hasOwn(known, name) ? known[name] : undefined;
      if (type !== undefined) {
        // a long one was not held
        if (value !== undefined && (typeof value === 'string') !== (type === 'text'))
          this.#fail(n, `${name} of entry ${n} (${k}) is nothing that may stand there`);
      } else if (this.#isNew(`${k} discloses ${name}`)) {
        const message = `entry ${n} (${k}) discloses ${quoted(name)}, which this dbguard does not know`;
        this.#findings.note('unknown-field', message, this.#where(n));
      }
    }
  }

  /** @param places of `bind`, in rising order */
  #checkBytes(n: number, places: readonly unknown[], bind: readonly unknown[]): void {
    let before = -1;
    for (const place of places) {
      const value = bind[Number(place)];
      if (Number(place) <= before || typeof value !== 'string' || !BYTES.test(value)) {
        this.#fail(n, `hex of statement ${n} names value ${String(place)}, which is not written as bytes`);
        return;
      }
      before = Number(place);
    }
  }

  #isNew(name: string): boolean {
    if (this.#unknown.has(name) || this.#unknown.size >= MAX_UNKNOWN) return false;
    this.#unknown.add(name);
    return true;
  }

  #fail(n: number, message: string): void {
    this.#findings.fail('contradiction', message, this.#where(n));
  }
}

/** Numbers of entries, a bit each. */
class NumberSet {
  #bits = new Uint8Array(1024);

  add(n: number): void {
    const at = Math.floor(n / 8);
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (n % 8));
  }

  has(n: unknown): boolean {
    return typeof n === 'number' && ((this.#bits[Math.floor(n / 8)] ?? 0) & (1 << (n % 8))) !== 0;
  }
}
