/**
 * What no honest writer writes, although every signature holds: statements that ran without being let through,
 * verdicts behind outcomes, answers to nothing. FORMAT.md lists them.
 *
 * What lives here: what each statement still owes, in memory that does not grow with the session but for five bits an
 * entry. What it must not know: signatures, chains, where lines come from.
 */
import type { Entry } from './entry.js';
import { byNobody, checkOf, disclosable, fieldsOf, isFacts, neededBy } from './entry-fields.js';
import type { Findings } from './finding.js';

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

/** Whoever is at the terminal, now or before. */
const byTheFirst: ReadonlySet<unknown> = new Set(['person', 'earlier-approval']);

const ran: ReadonlySet<unknown> = new Set(['done', 'failed', 'lost', 'undone']);

/** A bind value in binary format: FORMAT.md, `hex`. */
const BYTES = /^\\x(?:[0-9a-f]{2})*$/;

interface Requested {
  readonly id: unknown;
  verdicts: number;
  claimed: boolean;
}

/** Sessions of people and workloads hold no redactions; redactions hold nothing else. */
export type Purpose = 'session' | 'redaction';
const ofRedactions: ReadonlySet<string> = new Set(['open', 'redaction', 'seal']);

/** A time for which a person has approved a role. */
interface Window {
  readonly access: unknown;
  readonly role: unknown;
  /** Microseconds since 1970 UTC. */
  readonly until: number;
}
/** No policy has more entries of `access` by far. */
const MAX_WINDOWS = 1000;
/** Between the last look at the clock and the entry, microseconds. */
const LATE = 1_000_000;

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
  /** Statements that somebody let through for themselves alone, and the role that each may still run as. */
  readonly #approved = new NumberSet();
  /** Statements whose approval others of their transaction may stand under. */
  readonly #covering = new NumberSet();
  readonly #roles = new Map<number, unknown>();
  /** What has been said of a second person's approval, by the statement that waits for it. */
  readonly #requests = new Map<unknown, Requested>();
  /** By the number of their `open` entry. */
  readonly #windows = new Map<number, Window>();
  /** Which rule says that a statement needs one. */
  readonly #needsSecond = new Map<unknown, unknown>();
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
  }

  /** Every entry, in the order of its number, without gaps. */
  add(entry: Entry): void {
    this.#checkPurpose(entry);
    this.#checkFields(entry);
    switch (entry.k) {
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
        this.#approval(entry);
        break;
      case 'verdict':
        this.#verdict(entry);
        break;
      case 'window':
        if (entry.fields.event === 'end') this.#closeWindow(entry);
        else this.#openWindow(entry);
        break;
      case 'grant':
        this.#grant(entry);
        break;
      case 'outcome':
        this.#outcome(entry);
        break;
      case 'seal':
        if (entry.fields.final === true) this.#sealed(entry);
    }
  }

  #checkPurpose({ n, k }: Entry): void {
    if (this.#purpose === 'session' && k === 'redaction')
      this.#fail(n, `entry ${n} is a redaction, in a session that is none`);
    // a kind that nobody knows is said already
    else if (this.#purpose === 'redaction' && !ofRedactions.has(k) && fieldsOf(k) !== undefined)
      this.#fail(n, `entry ${n} (${k}) stands in a redaction`);
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
    if (decision === 'second-person' && entry.fields.rule !== undefined) this.#needsSecond.set(n, entry.fields.rule);
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
    this.#secondPerson(entry);
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
    else this.#owed.delete(Number(of));
  }

  /** A request, then verdicts about it, then the claim that uses them: of one statement that waits. */
  #approval(entry: Entry): void {
    const { of, id, object } = entry.fields;
    if (this.#stateOf(entry) !== 'asked') {
      this.#say(entry, 'part of an approval', 'that nobody is being asked about');
      return;
    }
    const requested = this.#requests.get(of);
    const isNext = object === 'request' ? requested === undefined : requested?.id === id && !requested?.claimed;
    if (!isNext || id === undefined || !('envelope' in entry.fields))
      this.#fail(entry.n, `entry ${entry.n} is a ${String(object)} that belongs to no request for statement ${of}`);
    else if (requested === undefined) this.#requests.set(of, { id, verdicts: 0, claimed: false });
    else if (object === 'verdict') requested.verdicts++;
    else requested.claimed = true;
  }

  /** A second person decides by what stands there, and the first one never in their place. */
  #secondPerson({ n, fields: { of, decision, by, rule } }: Entry): void {
    const requested = this.#requests.get(of);
    const needs = this.#needsSecond.get(of);
    this.#forgetApproval(of);
    if (decision === 'allow' && byTheFirst.has(by) && needs !== undefined && needs === rule)
      this.#fail(n, `verdict ${n} lets statement ${of} through by ${String(by)}, and its rule demands a second person`);
    if (by !== 'second-person') return;
    const shown = decision === 'allow' ? requested?.claimed : (requested?.verdicts ?? 0) > 0;
    if (!shown) this.#fail(n, `verdict ${n} is by a second person, and nothing of theirs stands before it`);
  }

  #forgetApproval(of: unknown): void {
    this.#requests.delete(of);
    this.#needsSecond.delete(of);
  }

  #openWindow({ n, t, fields: { access, role, forMs, channel, of } }: Entry): void {
    if (access === undefined || role === undefined || forMs === undefined || channel === undefined)
      this.#fail(n, `window ${n} does not say for what, how long, and who opened it`);
    if (of !== undefined && !(this.#approved.has(of) && this.#owed.has(Number(of))))
      this.#fail(n, `window ${n} was opened with a statement that nobody has approved`);
    for (const other of this.#windows.values())
      if (other.access === access) this.#fail(n, `window ${n} is opened while one for the same is open`);
    if (this.#windows.size < MAX_WINDOWS) this.#windows.set(n, { access, role, until: t + Number(forMs) * 1000 });
    else this.#fail(n, `${MAX_WINDOWS} windows are open at once`);
  }

  #closeWindow({ n, fields: { of, why } }: Entry): void {
    if (why === undefined) this.#fail(n, `the end ${n} of a window does not say why`);
    if (!this.#windows.delete(Number(of))) this.#fail(n, `entry ${n} ends a window that is not open`);
  }

  /** A role is for one statement, which a person has approved, by itself or with all of a time. */
  #grant(entry: Entry): void {
    const { of, role, window } = entry.fields;
    const approved = window === undefined ? this.#approved.has(of) : this.#isWithin(entry);
    if (this.#stateOf(entry) !== 'through' || !approved || this.#roles.has(Number(of)))
      this.#say(entry, 'a role', 'that nobody has approved, or that has one');
    else this.#roles.set(Number(of), role);
  }

  #isWithin({ t, fields: { window, role, access } }: Entry): boolean {
    const open = this.#windows.get(Number(window));
    return open !== undefined && open.role === role && open.access === access && t <= open.until + LATE;
  }

  /** Who ran as a role had it granted, and what had one granted ran as it. */
  #ranAs({ n, fields: { of, role, how } }: Entry): void {
    const granted = this.#roles.get(Number(of));
    this.#roles.delete(Number(of));
    if (role !== undefined && granted === undefined)
      this.#fail(n, `statement ${of} ran as the role ${quote(String(role))}, which nobody has granted`);
    else if (role !== granted && ran.has(how))
      this.#fail(n, `statement ${of} did not run as the role that was granted for it`);
  }

  #outcome(entry: Entry): void {
    const state = this.#stateOf(entry);
    const { of, how } = entry.fields;
    this.#forgetApproval(of);
    this.#ranAs(entry);
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
      this.#roles.clear();
      this.#requests.clear();
      this.#needsSecond.clear();
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
        const message = `entry ${n} is of the kind ${quote(k)}, which this dbguard does not know: what it says is not judged`;
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
            `entry ${n} (${k}) has a field ${quote(name)}, which this dbguard does not know`,
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
        const message = `entry ${n} (${k}) discloses ${quote(name)}, which this dbguard does not know`;
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

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
