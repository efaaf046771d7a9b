/**
 * The record of one run's statements: each is decided and in the journal before anything else becomes of it, and so is
 * every verdict, run and outcome.
 *
 * What lives here: which entry is written when, and that a held statement has one end. What it must not know: message
 * bytes, sockets, how a person is asked. The gate calls `admit`, and its `approvals` when a person has to decide; nothing else
 * leads to the database.
 */
import type { Policy, Ruling, TakenRole } from '../../policy/decision.js';
import type { Extents } from '../../policy/mass-changes.js';
import type { Facts } from '../../sql/facts.js';
import { type Disclosures, type EntryBody, type Recorder, RepeatedBody } from '../../transcript/entry.js';
import type { Admission, Candidate, Clock, ConnectionContext, RepeatedEntry, TextEntry } from '../candidate.js';
import type { Intent, Intents } from '../intent/intents.js';
import { KnownExtents } from '../row-counts/known-extents.js';
import { AccessWindows } from '../session-state/access-windows.js';
import type { KnownRights } from '../session-state/known-rights.js';
import type { Answer, Asker } from './asker.js';
import { FactsRecords, factsField } from './facts-record.js';
import { type JournalTotals, RunningTotals } from './journal-totals.js';
import { RecentMap } from './recent-map.js';
import { SecretKeeper, type Told } from './secret-keeper.js';
import { StatementApprovals } from './statement-approvals.js';
import { type FoundOut, openAccess, StatementRulings, undecidedAccess } from './statement-rulings.js';

export interface JournalParts {
  readonly policy: Policy;
  readonly recorder: Recorder;
  readonly asker: Asker;
  readonly clock: Clock;
  /** Default: no role can be had for a time. */
  readonly windows?: AccessWindows;
  /** Default: nobody is listened to. */
  readonly intents?: Intents;
}

/** One statement, and all that its entry says. */
interface Decided {
  readonly candidate: Candidate;
  readonly ruling: Ruling;
  readonly told: Told;
  readonly context: ConnectionContext;
  readonly intent: Intent | undefined;
}

const neverCalls = () => () => undefined;

/** Texts that later entries refer to; readers have to keep them. Longer ones are disclosed each time. */
const KEPT_TEXTS = { entries: 1000, size: 2 << 20 };
const MAX_KEPT_TEXT = 32 * 1024;

export class StatementJournal {
  readonly rulings: StatementRulings;
  readonly windows: AccessWindows;
  readonly approvals: StatementApprovals;
  readonly #parts: JournalParts;
  readonly #facts = new FactsRecords();
  /** What was disclosed lately, as it was told. */
  readonly #texts = new RecentMap<TextEntry>(KEPT_TEXTS);
  readonly #secrets = new SecretKeeper();
  /** By database. */
  readonly #extents = new Map<string, KnownExtents>();
  readonly #totals = new RunningTotals();
  /** Statements that are not simply let through, until the transcript says what became of them. */
  readonly #held = new Map<number, 'undecided' | 'allowed'>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.rulings = new StatementRulings(parts);
    this.windows =
      parts.windows ?? new AccessWindows({ rules: [], recorder: parts.recorder, clocks: [], every: neverCalls });
    this.approvals = new StatementApprovals({
      ...parts,
      windows: this.windows,
      secrets: this.#secrets,
      settle: (admission, answer, waitedMs) => this.#recordVerdict(admission, answer, waitedMs),
    });
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get totals(): JournalTotals {
    return this.#totals;
  }

  get intents(): Intents | undefined {
    return this.#parts.intents;
  }

  get recorder(): Recorder {
    return this.#parts.recorder;
  }

  /** What of a long text is secret is found in turns. Undefined where that is known, or quickly found. */
  lookThrough(sql: string, facts: Facts): Promise<void> | undefined {
    return this.#secrets.lookThrough(sql, facts);
  }

  /**
   * Decision and journal. The caller forwards only when `decision` is `allow` and the entry is committed.
   * @param rights what its login is known to lack nothing for; undefined where it must run as no other role
   */
  admit(candidate: Candidate, context: ConnectionContext, rights?: KnownRights): Admission {
    const extents = this.extentsIn(context.database).of(candidate, this.clock.monotonic());
    const decided = candidate.decided
      ? this.rulings.asked(candidate.decided)
      : this.rulings.decide(candidate, context, { extents });
    const otherwise = decided.unlessFew ?? decided;
    const open = decided.access !== undefined && rights !== undefined && !rights.has(candidate);
    const access = open ? openAccess(decided, otherwise) : undefined;
    const ruling = access ? undecidedAccess(access) : otherwise;
    const told = this.#secrets.tell(candidate);
    this.#totals.statements++;
    const intent = this.#parts.intents?.of(context.number, told.sql);
    const repeated = repeatedEntry(candidate, ruling, told, intent);
    const { n, textEntry } = repeated
      ? { n: this.#append(repeated.body, told, repeated.textEntry), textEntry: repeated.textEntry }
      : this.#recordStatement({ candidate, ruling, told, context, intent });
    if (ruling.decision !== 'allow') this.#held.set(n, 'undecided');
    else if (ruling.few) this.#held.set(n, 'allowed');
    return { n, ruling, intent, textEntry, extents, measure: decided.unlessFew !== undefined, access };
  }

  #recordStatement({
    candidate,
    ruling,
    told,
    context,
    intent,
  }: Decided): Required<Pick<Admission, 'n' | 'textEntry'>> {
    const facts = this.#facts.of(candidate.facts);
    // what a second person approves is held against the entry of the statement itself; who is asked may show later
    const byItself = ruling.decision !== 'allow' && this.#parts.policy.secondPerson !== undefined;
    const earlier = byItself ? undefined : (candidate.textEntry ?? this.#texts.get(told.sql));
    const body: EntryBody = {
      k: 'statement',
      conn: context.number,
      protocol: protocolField(candidate),
      name: candidate.statementName || undefined,
      portal: candidate.portalName || undefined,
      text: earlier?.n,
      facts: facts === earlier?.facts ? undefined : factsField(facts),
      hex: told.hex,
      hidden: told.hides ? this.#secrets.commitment(candidate.sql, candidate.bindValues ?? []) : undefined,
      tx: candidate.transactionStatus,
      decision: ruling.decision,
      rule: ruling.rule,
      intent: intent?.n,
      fit: intent?.fit,
    };
    if (!byItself && candidate.prepared && candidate.textEntry?.facts === facts && saysNothingOfItsOwn(told)) {
      const { textEntry, portalName, transactionStatus } = candidate;
      const of = { facts: candidate.facts, ruling, textEntry, portalName, transactionStatus, intent };
      candidate.prepared.repeated = { body: new RepeatedBody(body), ...of };
    }
    const n = this.#append(body, told, earlier);
    facts.statedIn ??= n;
    return { n, textEntry: earlier ?? this.#disclosed(told.sql, { n, facts }) };
  }

  #append(body: EntryBody | RepeatedBody, { sql, bind }: Told, earlier: TextEntry | undefined): number {
    if (bind.length > 0) return this.#parts.recorder.append(body, earlier === undefined ? { sql, bind } : { bind });
    return this.#parts.recorder.append(body, earlier === undefined ? { sql } : undefined);
  }

  #disclosed(sql: string, entry: TextEntry): TextEntry {
    if (sql.length <= MAX_KEPT_TEXT) this.#texts.set(sql, entry);
    return entry;
  }

  /** What is known of rows in one database, for all connections of the run. */
  extentsIn(database: string): KnownExtents {
    let known = this.#extents.get(database);
    if (known === undefined) {
      known = new KnownExtents();
      this.#extents.set(database, known);
    }
    return known;
  }

  /** Decides again with what was found out about rows; the ruling that stands then. */
  reconsider(candidate: Candidate, admission: Admission, context: ConnectionContext, found: FoundOut): Ruling {
    const decided = this.rulings.decide(candidate, context, found);
    const ruling = decided.unlessFew ?? decided;
    if (ruling.decision === 'allow') {
      const estimatedRows = found.estimatedRows ?? sumOf(found.extents);
      this.#recordDecision(admission, { decision: 'allow', by: 'rule', rule: ruling.rule, estimatedRows });
    }
    return ruling;
  }

  /** Nobody is asked, since a person has said so for a time. */
  recordRuleApproval(admission: Admission): void {
    this.#recordDecision(admission, { decision: 'allow', by: 'rule', rule: admission.ruling.rule });
  }

  /** The next rows of a portal that was let through before: the same statement, not decided again. */
  admitMore(candidate: Candidate, admitted: number, context: ConnectionContext): Admission {
    const n = this.#parts.recorder.append({
      k: 'statement',
      conn: context.number,
      protocol: protocolField(candidate),
      portal: candidate.portalName || undefined,
      continues: admitted,
      tx: candidate.transactionStatus,
    });
    return { n, ruling: continued };
  }

  /** A text that Parse brings to the server without running it in the same breath. */
  recordParse(sql: string, of: Facts, context: ConnectionContext): TextEntry {
    const facts = this.#facts.of(of);
    const told = this.#secrets.text(sql, of);
    const hidden = told === sql ? undefined : this.#secrets.commitment(sql, []);
    const earlier = this.#texts.get(told);
    const n = this.#parts.recorder.append(
      {
        k: 'parse',
        conn: context.number,
        text: earlier?.n,
        facts: facts === earlier?.facts ? undefined : factsField(facts),
        hidden,
      },
      earlier === undefined ? { sql: told } : undefined,
    );
    facts.statedIn ??= n;
    return earlier ?? this.#disclosed(told, { n, facts });
  }

  recordConnection(body: EntryBody, disclosures?: Disclosures): void {
    this.#parts.recorder.append(body, disclosures);
  }

  recordOutcome(of: number, body: EntryBody): void {
    if (this.#held.size > 0) this.#held.delete(of);
    this.#parts.recorder.append(body);
  }

  countDetected(columns: number): void {
    this.#totals.detected += columns;
  }

  /** Rows of a transaction that has committed. */
  countRowsChanged(rows: number): void {
    this.#totals.rowsChanged += rows;
  }

  /** False where the statement has its end already: then nothing follows from it. */
  #recordVerdict(admission: Admission, answer: Answer, waitedMs: number): boolean {
    const verdict = {
      decision: answer.decision,
      by: answer.by.kind,
      channel: answer.by.channel,
      name: answer.by.name,
      scope: answer.decision === 'allow' ? answer.scope : undefined,
      rule: admission.ruling.rule,
      shown: answer.previewDigest,
      waitedMs,
    };
    const reason = answer.decision === 'deny' && answer.reason ? { reason: answer.reason } : undefined;
    const stands = this.#recordDecision(admission, verdict, reason);
    if (stands) this.#totals.verdict(admission.ruling.decision, answer);
    return stands;
  }

  /** A statement has one verdict: what comes behind the end of its connection is not heard any more. */
  #recordDecision(
    { n }: Admission,
    verdict: Omit<EntryBody, 'k'> & { readonly decision: Answer['decision'] },
    disclosures?: Disclosures,
  ): boolean {
    if (this.#held.get(n) !== 'undecided') return false;
    if (verdict.decision === 'allow') this.#held.set(n, 'allowed');
    else this.#held.delete(n);
    this.#parts.recorder.append({ k: 'verdict', of: n, ...verdict }, disclosures);
    return true;
  }

  /** The person had the statement run and undone, before deciding. Its bytes leave after this. */
  recordDryRun(admission: Admission): void {
    this.#parts.recorder.append({ k: 'dry-run', of: admission.n });
  }

  /** From now on, and for this statement alone, the session may be that role. Its bytes leave after this. */
  recordGrant({ n }: Admission, { role, access, lacking, reason, window }: TakenRole): void {
    this.#parts.recorder.append(
      { k: 'grant', of: n, role, access, lacking, window },
      reason === undefined ? undefined : { reason },
    );
  }

  /** An error before it made the server skip the statement while it waited: nothing ran. */
  recordSkipped({ n }: Admission): void {
    if (this.#held.delete(n)) this.#parts.recorder.append({ k: 'outcome', of: n, how: 'skipped' });
  }

  /** The server's own parser rejected the text: nobody was asked, nothing ran. */
  recordRejected({ n }: Admission, sqlstate: string): void {
    if (this.#held.delete(n)) this.#parts.recorder.append({ k: 'outcome', of: n, how: 'rejected', sqlstate });
  }

  /** Nobody will say any more what becomes of a held statement: it did not run, and the transcript tells why. */
  recordAbandoned(admission: Admission, why: 'disconnect' | 'nobody'): void {
    if (this.#held.get(admission.n) === 'allowed') this.recordSkipped(admission);
    else this.#recordDecision(admission, { decision: 'deny', by: why, rule: admission.ruling.rule });
  }

  /** Part of a transaction that a person has approved as one, at its statement `under`. */
  recordCovered(admission: Admission, under: number): void {
    const { rule } = admission.ruling;
    this.#recordDecision(admission, { decision: 'allow', by: 'person', scope: 'transaction', under, rule });
  }

  /** A statement that a rule denied: nobody was asked. */
  recordRuleVerdict(admission: Admission): void {
    this.#totals.deniedByRule++;
    const { rule, reason } = admission.ruling;
    this.#recordDecision(admission, { decision: 'deny', by: 'rule', rule }, { reason });
  }
}

function sumOf(extents: Extents | undefined): number | undefined {
  let sum: number | undefined;
  for (const { rows } of extents?.values() ?? []) if (rows !== undefined) sum = (sum ?? 0) + rows.number;
  return sum;
}

/** A statement is a simple query where nothing else is said. */
function protocolField({ kind }: Candidate): Candidate['kind'] | undefined {
  return kind === 'query' ? undefined : kind;
}

/** The entry of a prepared statement that runs as it did last says the same, but for its number, time and values. */
function repeatedEntry(
  candidate: Candidate,
  ruling: Ruling,
  told: Told,
  intent: Intent | undefined,
): RepeatedEntry | undefined {
  const last = candidate.prepared?.repeated;
  return last !== undefined &&
    last.facts === candidate.facts &&
    last.ruling === ruling &&
    last.textEntry === candidate.textEntry &&
    last.portalName === candidate.portalName &&
    last.transactionStatus === candidate.transactionStatus &&
    last.intent?.n === intent?.n &&
    last.intent?.fit === intent?.fit &&
    saysNothingOfItsOwn(told)
    ? last
    : undefined;
}

/** Beside the values themselves. */
function saysNothingOfItsOwn({ hex, hides }: Told): boolean {
  return hex === undefined && !hides;
}

const continued: Ruling = {
  decision: 'allow',
  rule: 'builtin:continued',
  origin: 'dbguard',
  reason: 'More rows of a statement that was let through.',
};
