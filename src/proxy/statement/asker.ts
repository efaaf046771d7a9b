import type { Ruling } from '../../policy/decision.js';
import type { Facts } from '../../sql/facts.js';
import type { TransactionSoFar } from '../candidate.js';
import type { ServerRefusal } from '../internal-queries/internal-reply.js';
import type { RunRows } from '../row-counts/shown-rows.js';

/** What a person is asked. Everything in it is attacker-controlled text except the ruling: screens sanitise it. */
export interface ApprovalRequest {
  /** Short, unique in the session: what `dbguard approve ID` takes. */
  readonly id: string;
  readonly sid: string;
  /** Number of the statement's entry in the transcript. */
  readonly entry: number;
  readonly connectionNumber: number;
  /** Who asks and where, in words. */
  readonly agent: string;
  readonly subject: string;
  readonly connection: string;
  readonly database: string;
  /** The login on the server; with another name or a role, all of them in words. */
  readonly user?: string;
  readonly environment?: string;
  /** As the server reported it, where it does (PostgreSQL 18). */
  readonly searchPath?: string;
  /** Digest of what else decides what the text means: settings, roles, temporary objects, the catalog. */
  readonly sessionDigest?: string;
  /** Digest of what the text does and of what decides that, the same in every session; undefined where it has secrets. */
  readonly meaning?: string;
  /** Without its secrets. */
  readonly sql: string;
  /** Tells a statement with secrets from one that differs in them only. */
  readonly original?: string;
  /** What its EXECUTEs stand for: texts that came before it. */
  readonly runs?: readonly string[];
  /** Bind values as shown; null is SQL NULL. Masked values and secrets are already replaced. */
  readonly bindValues: readonly (string | null)[];
  readonly facts: Facts;
  readonly ruling: Ruling;
  readonly transactionStatus: 'I' | 'T' | 'E';
  /** What the open transaction has done before this statement. */
  readonly soFar?: TransactionSoFar;
  /** What its agent says that the person has asked it for; see proxy/intent. No part of what is decided. */
  readonly asked?: { readonly text: string; readonly fits: boolean };
  readonly impact: Impact;
  /** Runs the statement and undoes it, to see what it does. Never rejects. */
  readonly dryRun?: () => Promise<DryRun>;
  /** Milliseconds since 1970 UTC, after which silence means deny. */
  readonly askedAt: number;
  readonly expiresAt: number;
}

/** What would be hit, as far as the database could tell in time. */
export interface Impact {
  readonly lines: readonly ImpactLine[];
  /** Estimated rows of the destructive part; undefined where nobody could tell. */
  readonly estimatedRows?: number;
}

export interface ImpactLine {
  readonly label: string;
  readonly text: string;
  readonly severity: 'info' | 'warning' | 'danger';
}

/** What running the statement and undoing it has shown, or why that was not done. */
export type DryRun =
  | { readonly refused: string }
  | {
      readonly lines: readonly ImpactLine[];
      readonly rows: readonly DryRunRow[];
      /** Against which the real run is held; absent where the trial failed. */
      readonly counted?: RunRows;
      /** Why the trial failed, where the server said so. */
      readonly failed?: ServerRefusal;
    };

/** One of the rows hit: deleted, inserted, changed. Masked values are already replaced. */
export interface DryRunRow {
  readonly sign: '-' | '+' | '~';
  /** Of a changed row its key and what changed; `was` is there where the value is another now. */
  readonly cells: readonly { readonly column: string; readonly was?: string | null; readonly value: string | null }[];
}

export type Answer =
  | {
      readonly decision: 'allow';
      readonly scope: 'once' | 'session';
      readonly by: Approver;
      readonly previewDigest: string;
      /** The rows that whoever approved was shown, where that was another estimate than this ask has. */
      readonly rowsShown?: number;
    }
  | { readonly decision: 'deny'; readonly reason?: string; readonly by: Approver; readonly previewDigest?: string }
  | { readonly decision: 'abort'; readonly by: Approver; readonly previewDigest?: string };

/**
 * Who or what decided. `nobody` where there is no person to ask; `earlier-approval` and `earlier-denial` where a person
 * approved exactly this statement for the session, or denied it a moment ago.
 */
export interface Approver {
  readonly kind:
    | 'person'
    | 'second-person'
    | 'earlier-approval'
    | 'earlier-denial'
    | 'timeout'
    | 'disconnect'
    | 'cancel'
    | 'nobody';
  /** The channel: `terminal`, `approvals socket`, `script`. */
  readonly channel?: string;
  readonly name?: string;
}

/** Asks a person. Must settle by itself at `expiresAt`; `signal` aborts when the client cancelled or left. */
export interface Asker {
  /** An answer that needs nobody: approved for the session, or denied a moment ago. The impact does not count here. */
  recall?(request: ApprovalRequest): Answer | undefined;
  ask(request: ApprovalRequest, signal: AbortSignal): Promise<Answer>;
}
