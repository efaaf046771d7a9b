/**
 * Which of many reports are shown in full. A bucket of twenty thousand sessions that somebody has spoiled is twenty
 * thousand times the same news: the first of each kind are shown, the rest are counted.
 */
import type { SessionReport } from '../../review/session-report.js';
import type { FindingCode } from '../../transcript/finding.js';

/** Shown in full: of a kind, and of all kinds. */
const SHOWN = { ofKind: 20, ofAll: 300 };
const KINDS = 1000;

export interface Rest {
  readonly count: number;
  readonly verdict: SessionReport['verdict'];
  readonly codes: readonly FindingCode[];
  /** The first that was not shown. */
  readonly first: string;
}

export class Alike {
  readonly #kinds = new Map<string, { shown: number; rest: Rest | undefined }>();
  #shown = 0;

  /** Whether this one is to be shown in full. */
  shows({ sid, verdict, findings }: SessionReport): boolean {
    const codes = [...new Set(findings.flatMap(({ severity, code }) => (severity === 'note' ? [] : [code])))].sort();
    const kind = this.#kind(`${verdict} ${codes.join(' ')}`);
    if (kind.shown < SHOWN.ofKind && this.#shown < SHOWN.ofAll) {
      kind.shown++;
      this.#shown++;
      return true;
    }
    kind.rest = { codes, verdict, first: kind.rest?.first ?? sid, count: (kind.rest?.count ?? 0) + 1 };
    return false;
  }

  get rests(): readonly Rest[] {
    return [...this.#kinds.values()].flatMap(({ rest }) => (rest === undefined ? [] : [rest]));
  }

  #kind(name: string) {
    const key = this.#kinds.has(name) || this.#kinds.size < KINDS ? name : '';
    const kind = this.#kinds.get(key) ?? { shown: 0, rest: undefined };
    this.#kinds.set(key, kind);
    return kind;
  }
}
