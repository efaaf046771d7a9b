/** What verification has to say about one thing it looked at. */

/**
 * `failure`: something was changed, or does not come from who it names. `warning`: nothing wrong was found, but
 * something is not proven that could be. `note`: worth knowing.
 */
export type Severity = 'failure' | 'warning' | 'note';

export type FindingCode =
  // lines and chain
  | 'line-malformed'
  | 'entry-missing'
  | 'entry-order'
  | 'chain-broken'
  | 'signature-invalid'
  | 'unsigned-tail'
  | 'after-final-seal'
  | 'seal-wrong'
  | 'contradiction'
  | 'unknown-kind'
  | 'unknown-field'
  | 'disclosure-changed'
  | 'disclosure-missing'
  | 'redacted'
  | 'redaction-unproven'
  | 'redaction-ignored'
  | 'redaction-invalid'
  // objects
  | 'segment-damaged'
  | 'segment-missing'
  | 'segment-conflict'
  | 'foreign-object'
  | 'object-overwritten'
  | 'object-repeated'
  | 'object-deleted'
  | 'unknown-object'
  | 'versions-hidden'
  | 'wrong-place'
  | 'not-final'
  | 'still-open'
  // who
  | 'open-unusable'
  | 'certificate-invalid'
  | 'certificate-expired'
  | 'identity-invalid'
  | 'identity-unproven'
  | 'identity-weak'
  | 'identity-local'
  | 'identity-look-alike'
  | 'login-old'
  | 'login-revoked'
  // who approved
  | 'approval-invalid'
  | 'approval-unproven'
  | 'approval-redacted'
  // when
  | 'clock-back'
  | 'time-ahead'
  | 'late-upload'
  | 'id-time'
  // between sessions
  | 'session-missing'
  | 'session-truncated'
  | 'session-replaced'
  | 'session-forked'
  | 'session-circular'
  | 'session-order'
  | 'session-expired'
  | 'approval-reused'
  // what a reader expects
  | 'nothing-there'
  | 'session-expected';

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** One sentence; may quote attacker-controlled text, which screens sanitise. */
  readonly message: string;
  /** Number of the entry. */
  readonly n?: number;
  readonly segment?: number;
  /** So many more of this kind were found. */
  readonly more?: number;
}

const severities: readonly Severity[] = ['failure', 'warning', 'note'];

/** Of one code and severity; a hostile transcript may have a million. */
const KEPT = 3;

/** Collects findings in bounded memory: the first of each kind, and how many more there are. */
export class Findings {
  readonly #byKind = new Map<string, Finding[]>();
  readonly #more = new Map<string, number>();
  failures = 0;
  warnings = 0;

  /** The worst first; of each kind the first ones, in the order in which they were found. */
  get list(): readonly Finding[] {
    const all = [...this.#byKind].flatMap(([kind, kept]) => {
      const more = this.#more.get(kind) ?? 0;
      return more === 0 ? kept : kept.slice(0, 1).map((first) => ({ ...first, more: more + kept.length - 1 }));
    });
    return all.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  }

  add(finding: Finding): void {
    if (finding.severity === 'failure') this.failures++;
    if (finding.severity === 'warning') this.warnings++;
    const kind = `${finding.severity} ${finding.code}`;
    const kept = this.#byKind.get(kind) ?? [];
    if (kept.length < KEPT) this.#byKind.set(kind, [...kept, finding]);
    else this.#more.set(kind, (this.#more.get(kind) ?? 0) + 1);
  }

  fail(code: FindingCode, message: string, where: { n?: number; segment?: number } = {}): void {
    this.add({ severity: 'failure', code, message, ...where });
  }

  warn(code: FindingCode, message: string, where: { n?: number; segment?: number } = {}): void {
    this.add({ severity: 'warning', code, message, ...where });
  }

  note(code: FindingCode, message: string, where: { n?: number; segment?: number } = {}): void {
    this.add({ severity: 'note', code, message, ...where });
  }
}

/** A name that a stranger gave, within a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
