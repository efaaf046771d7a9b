/** The parser counts UTF-8 bytes, JavaScript UTF-16 code units. */
export class Positions {
  readonly #sql: string;
  readonly #ascii: boolean;
  /** The last conversion: positions are asked for in ascending order, so the text is walked once. */
  #bytes = 0;
  #units = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#ascii = /^[\0-\x7f]*$/.test(sql);
  }

  /** UTF-16 position of a byte position. */
  at(bytes: number): number {
    if (this.#ascii) return bytes;
    if (bytes < this.#bytes) this.#bytes = this.#units = 0;
    while (this.#bytes < bytes && this.#units < this.#sql.length) {
      const point = this.#sql.codePointAt(this.#units) ?? 0;
      this.#units += point > 0xffff ? 2 : 1;
      this.#bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    }
    return this.#units;
  }
}

/** Takes blanks (PostgreSQL's, scan.l) off both ends of a range. */
export function trim(sql: string, start: number, end: number): { start: number; end: number } {
  const blanks = ' \t\n\r\f\v';
  let from = start;
  let to = end;
  while (from < to && blanks.includes(sql.charAt(from))) from += 1;
  while (to > from && (blanks.includes(sql.charAt(to - 1)) || sql.charAt(to - 1) === ';')) to -= 1;
  return { start: from, end: to };
}
