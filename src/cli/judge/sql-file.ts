/** SQL files as psql reads them, made plain SQL: positions stay, what is not SQL becomes blanks. */

/**
 * Blanks out psql's own commands (`\connect`, pg_dump's `\restrict`) and the rows that follow COPY ... FROM stdin.
 * A rough reading by lines: inside a literal such a line would be blanked too, which can only make a text unreadable
 * for the report of `dbguard policy test`, never let a statement run.
 */
export function plainSql(file: string): string {
  let inRows = false;
  let copy = false;
  return file
    .split('\n')
    .map((line) => {
      if (inRows) {
        inRows = line.trimEnd() !== '\\.';
        return blank(line);
      }
      if (/^\\[a-z!?]/i.test(line)) return blank(line);
      if (/^\s*copy\s/i.test(line)) copy = true;
      if (copy && /;\s*$/.test(line)) {
        inRows = /\bfrom\s+stdin\b/i.test(line);
        copy = false;
      }
      return line;
    })
    .join('\n');
}

function blank(line: string): string {
  return ' '.repeat(line.length);
}

/** 1-based line of a position in UTF-16 code units. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Where a statement begins behind the comments that stand before it. */
export function behindComments(text: string, start: number): number {
  const comment = /\s+|--[^\n]*|\/\*/y;
  let at = start;
  for (;;) {
    comment.lastIndex = at;
    const match = comment.exec(text);
    if (match === null) return at;
    at = match[0] === '/*' ? endOfComment(text, at) : comment.lastIndex;
  }
}

/** Comments nest ("Comments" in the PostgreSQL manual). */
function endOfComment(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}
