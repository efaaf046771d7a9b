/**
 * A second person's approvals as they stand in a transcript: each object judged, and held against the statement that it
 * is to be about.
 *
 * What lives here: the open approvals of one session, and the ids of those it has used. What it must not know: chains,
 * and the order of entries (contradictions.ts).
 */

import { messageOf } from '../errors.js';
import {
  type JudgeEvidence,
  judgeClaim,
  judgeRequest,
  judgeVerdict,
  mayApprove,
  missingApproval,
} from '../identity/approval-judge.js';
import { subjectName } from '../identity/subject-name.js';
import { sha256 } from '../sha256.js';
import { type ReadObject, readApproval } from '../transcript/approval-objects.js';
import type { Entry } from '../transcript/entry.js';
import { Findings } from '../transcript/finding.js';
import type { ApprovalEntries } from '../transcript/verify.js';
import { identify } from './identify.js';
import type { VerifyOptions } from './verify-options.js';

type Run = Parameters<ApprovalEntries['add']>[2];

/** Digests of what a statement that is asked about discloses itself. */
interface Asked {
  readonly sql: string | Untold;
  readonly bind: string | Untold;
}

/** `elsewhere`: an earlier entry discloses it. */
type Untold = 'redacted' | 'elsewhere';

interface Open {
  readonly request: ReadObject<'request'>;
  readonly verdicts: ReadObject<'verdict'>[];
  claim?: ReadObject<'claim'>;
}

/** A writer keeps no more statements waiting; see contradictions.ts. */
const MAX_ASKED = 1 << 16;

export class ApprovalChecks implements ApprovalEntries {
  readonly #sid: string;
  readonly #judge: JudgeEvidence;
  readonly #asked = new Map<unknown, Asked>();
  readonly #open = new Map<unknown, Open>();
  /** Statements that an approval lets run as a role, or as none. */
  readonly #roles = new Map<unknown, string | undefined>();
  readonly #used = new Set<string>();
  readonly #approvers: readonly string[] | undefined;

  constructor(sid: string, options: Pick<VerifyOptions, 'keys' | 'demands'>) {
    this.#sid = sid;
    this.#approvers = options.demands.approvers;
    this.#judge = evidenceJudge(options);
  }

  /** Ids of requests whose approval this session has used. */
  get used(): readonly string[] {
    return [...this.#used];
  }

  add(
    entry: Entry,
    disclosed: Readonly<Record<string, unknown>>,
    run: Run,
    segment: number,
  ): Promise<void> | undefined {
    const { n, k, fields } = entry;
    if (k === 'statement') {
      if (fields.decision !== 'allow' && fields.continues === undefined && this.#asked.size < MAX_ASKED)
        this.#asked.set(n, {
          sql: 'sql' in entry.c ? (digestOf(disclosed.sql) ?? 'redacted') : 'elsewhere',
          bind: 'bind' in entry.c ? (digestOf(disclosed.bind) ?? 'redacted') : NO_VALUES,
        });
      return undefined;
    }
    if (k === 'approval') return this.#approval(entry, disclosed, run, segment);
    if (k === 'verdict') this.#verdict(entry, run, segment);
    else if (k === 'grant') this.#grant(entry, run, segment);
    else if (k === 'outcome') this.#forget(fields.of);
    return undefined;
  }

  #forget(of: unknown): void {
    this.#asked.delete(of);
    this.#open.delete(of);
    this.#roles.delete(of);
  }

  async #approval(
    entry: Entry,
    disclosed: Readonly<Record<string, unknown>>,
    run: Run,
    segment: number,
  ): Promise<void> {
    const { of, object, envelope } = entry.fields;
    const say = (
      judged: { readonly faults: readonly string[]; readonly doubts: readonly string[] },
      whose: string,
    ): void => {
      const where = { n: entry.n, segment };
      const what = `the ${String(object)} ${whose} for statement ${String(of)}`;
      for (const fault of judged.faults) run.findings.fail('approval-invalid', `${what}: ${fault}`, where);
      for (const doubt of judged.doubts) run.findings.warn('approval-unproven', `${what}: ${doubt}`, where);
    };
    try {
      const text = JSON.stringify(envelope);
      const open = this.#open.get(of);
      if (object === 'request') {
        const request = readApproval('request', text);
        this.#open.set(of, { request, verdicts: [] });
        say(await judgeRequest(request, this.#judge, run.open?.subject), 'itself');
        this.#isAbout(entry, request, disclosed.shown, run, segment);
      } else if (open && object === 'verdict') {
        const verdict = readApproval('verdict', text);
        open.verdicts.push(verdict);
        const judged = await judgeVerdict(verdict, open.request, this.#judge);
        say(
          { ...judged, doubts: [...judged.doubts, ...this.#unnamed(verdict)] },
          `of ${subjectName(verdict.claims.who.subject)}`,
        );
      } else if (open && object === 'claim') {
        open.claim = readApproval('claim', text);
        const { sessionKey } = run;
        const faults = await judgeClaim(open.claim, open.request, open.verdicts, {
          sid: this.#sid,
          of: Number(of),
          sessionKey,
        });
        if (this.#used.has(open.claim.claims.id)) faults.push('its approval was used before');
        this.#used.add(open.claim.claims.id);
        say({ faults, doubts: [] }, 'itself');
      }
    } catch (error) {
      run.findings.fail('approval-invalid', `entry ${entry.n}: ${messageOf(error)}`, { n: entry.n, segment });
    }
  }

  /** Whoever asked named the approvers: the reader may know better. People also come and go. */
  #unnamed({ claims: { who } }: ReadObject<'verdict'>): string[] {
    const isNamed = this.#approvers === undefined || mayApprove(this.#approvers, who);
    return isNamed ? [] : ['they are none of those whom your own second_person.approvers names'];
  }

  /** What was asked is what stands in the statement's entry. */
  #isAbout(entry: Entry, request: ReadObject<'request'>, shown: unknown, run: Run, segment: number): void {
    const { n, fields } = entry;
    const asked = this.#asked.get(fields.of);
    const fault = faultOf(entry, request, run) ?? faultOfText(request, shown, asked);
    if (fault !== undefined) {
      const message = `the request for statement ${String(fields.of)}: ${fault}`;
      run.findings.fail('approval-invalid', message, { n, segment });
    } else if (isRedacted(shown, asked)) {
      const message = `whether statement ${String(fields.of)} is the one that was approved cannot be seen: its text is redacted`;
      run.findings.note('approval-redacted', message, { n, segment });
    }
  }

  #verdict({ n, fields }: Entry, run: Run, segment: number): void {
    const { of, by, decision } = fields;
    const open = this.#open.get(of);
    const fail = (why: string): void =>
      run.findings.fail('approval-invalid', `the approval of statement ${String(of)}: ${why}`, { n, segment });
    if (by === 'second-person' && open) {
      const missing = missingApproval(open.request, open.verdicts);
      if (decision === 'allow' && missing !== undefined) fail(missing);
      if (decision !== 'allow' && !open.verdicts.some(({ claims }) => claims.decision === 'deny'))
        fail('nobody who was asked has denied it');
    }
    this.#forget(of);
    if (by === 'second-person' && decision === 'allow') this.#roles.set(of, open?.request.claims.role);
  }

  #grant({ n, fields: { of, role } }: Entry, run: Run, segment: number): void {
    if (!this.#roles.has(of) || this.#roles.get(of) === role) return;
    const message = `the approval of statement ${String(of)}: it is for another role`;
    run.findings.fail('approval-invalid', message, { n, segment });
  }
}

function faultOf({ fields, c }: Entry, { claims }: ReadObject<'request'>, { open }: Run): string | undefined {
  if (fields.id !== claims.id) return 'it stands under another id';
  if (open?.connection && open.connection.name !== claims.connection) return 'it is about another connection';
  return 'shown' in c ? undefined : 'what was asked does not stand there';
}

function faultOfText({ claims }: ReadObject<'request'>, shown: unknown, asked: Asked | undefined): string | undefined {
  if (asked === undefined || asked.sql === 'elsewhere') return 'its statement has no text of its own';
  if (typeof shown !== 'string') return undefined;
  if (sha256(shown, 'base64url') !== claims.shown) return 'what was asked is not what was signed';
  if (isRedacted(shown, asked)) return undefined;
  const about = statementIn(shown);
  const isSame = digestOf(about?.sql) === asked.sql && digestOf(about?.bind ?? []) === asked.bind;
  return isSame ? undefined : 'it asks about another statement';
}

function isRedacted(shown: unknown, asked: Asked | undefined): boolean {
  return typeof shown !== 'string' || asked?.sql === 'redacted' || asked?.bind === 'redacted';
}

/** Each signer is judged as the opening entry of a session is. */
export function evidenceJudge({ keys, demands }: Pick<VerifyOptions, 'keys' | 'demands'>): JudgeEvidence {
  return async (who, { sid, at, maxLoginAgeMs }) => {
    const findings = new Findings();
    const most = maxLoginAgeMs === undefined ? {} : { maxLoginAgeMs };
    const found = await identify(sid, who, { openedAt: at }, findings, keys, { ...demands, ...most });
    const said = (severity: string): string[] =>
      findings.list.filter((one) => one.severity === severity).map(({ message }) => message);
    return {
      ...(found.sessionKey ? { sessionKey: found.sessionKey } : {}),
      ...(found.level ? { level: found.level } : {}),
      faults: said('failure'),
      doubts: said('warning'),
    };
  };
}

/** The text that says what is asked: FORMAT.md, *shown*. */
function statementIn(shown: string): { readonly sql?: unknown; readonly bind?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(shown);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(value: unknown): string | undefined {
  return value === undefined ? undefined : sha256(JSON.stringify(value), 'base64url');
}

const NO_VALUES = sha256('[]', 'base64url');
