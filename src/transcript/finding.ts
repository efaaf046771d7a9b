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
  | 'redaction-ignored'
  | 'redaction-invalid'
  // objects
  | 'segment-damaged'
  | 'segment-missing'
  | 'segment-conflict'
  | 'wrong-place'
  | 'not-final'
  // who
  | 'open-unusable'
  | 'certificate-invalid'
  | 'certificate-expired'
  | 'identity-invalid'
  | 'identity-unproven'
  | 'identity-weak'
  | 'identity-look-alike'
  | 'login-old'
  | 'login-revoked'
  // when
  | 'clock-back'
  | 'time-ahead'
  | 'late-upload'
  // between sessions
  | 'session-missing'
  | 'session-truncated';

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** One sentence; may quote attacker-controlled text, which screens sanitise. */
  readonly message: string;
  /** Number of the entry. */
  readonly n?: number;
  readonly segment?: number;
}

const KEPT = 100;

/** Collects findings in bounded memory: a hostile transcript may have a million faults. */
export class Findings {
  readonly list: Finding[] = [];
  failures = 0;
  warnings = 0;

  add(finding: Finding): void {
    if (finding.severity === 'failure') this.failures++;
    if (finding.severity === 'warning') this.warnings++;
    if (this.list.length < KEPT) this.list.push(finding);
    else if (finding.severity === 'failure' && this.list.every((kept) => kept.severity === 'failure') === false) {
      // A failure never falls out for the sake of notes.
      const weaker = this.list.findLastIndex((kept) => kept.severity !== 'failure');
      this.list.splice(weaker, 1, finding);
    }
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
