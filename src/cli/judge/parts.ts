/** A long file in parts that the analyser takes, cut between statements, and the lines on which positions stand. */
import { behindComments, type Span } from './sql-file.js';

/** UTF-16 code units, of at most three bytes each: below the 8 MiB that the analyser reads at once. */
const mostAtOnce = 2 * 1024 * 1024;

/**
 * Groups of neighbours, each as long as the analyser takes; a statement that is longer stands alone. What is only blank in
 * front of a part (rows of COPY, say) belongs to none.
 */
export function partsOf(sql: string, statements: readonly Span[]): Span[][] {
  const parts: Span[][] = [];
  let part: Span[] = [];
  for (const { start, end } of statements) {
    const first = part[0];
    if (first !== undefined && end - first.start <= mostAtOnce) part.push({ start, end });
    else {
      part = [{ start: end - start > mostAtOnce ? behindComments(sql, start) : start, end }];
      parts.push(part);
    }
  }
  return parts;
}

/** Lines of a text, looked up in it as often as it has statements. */
export class Lines {
  readonly #ends: number[] = [];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#ends.push(at);
  }

  /** 1-based, of a position in UTF-16 code units. */
  at(position: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }
}
