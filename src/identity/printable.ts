/**
 * A foreign string (issuer's error text, claim, header) made fit for one line on a terminal: no control, bidirectional or
 * invisible characters, and not longer than `limit`.
 */
export function printable(text: unknown, limit = 200): string {
  const clean = String(text)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}
