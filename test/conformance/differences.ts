/** Where two transcripts part, as lines of a diff. */

/** Empty when they are the same. Longest common subsequence; transcripts have at most a few thousand lines. */
export function differences(direct: readonly string[], guarded: readonly string[]): string[] {
  const start = direct.findIndex((line, at) => line !== guarded[at]);
  const head = start === -1 ? direct.length : start;
  const [left, right] = trimmedEnds(direct.slice(head), guarded.slice(head));
  if (left.length * right.length > 4_000_000) return [`- ${left.length} lines`, `+ ${right.length} lines`];
  return walk(left, right, lengths(left, right));
}

function trimmedEnds(left: string[], right: string[]): [string[], string[]] {
  let same = 0;
  while (same < Math.min(left.length, right.length) && left.at(-1 - same) === right.at(-1 - same)) same++;
  return [left.slice(0, left.length - same), right.slice(0, right.length - same)];
}

/** `table[i][j]`: how much `left` from i on and `right` from j on have in common. */
function lengths(left: readonly string[], right: readonly string[]): number[][] {
  const table = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      write(
        table,
        i,
        j,
        left[i] === right[j] ? 1 + at(table, i + 1, j + 1) : Math.max(at(table, i + 1, j), at(table, i, j + 1)),
      );
  return table;
}

function walk(left: readonly string[], right: readonly string[], table: number[][]): string[] {
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      i++;
      j++;
    } else if (j >= right.length || (i < left.length && at(table, i + 1, j) >= at(table, i, j + 1))) {
      out.push(`- ${left[i++]}`);
    } else {
      out.push(`+ ${right[j++]}`);
    }
  }
  return out;
}

function at(table: number[][], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

function write(table: number[][], i: number, j: number, value: number): void {
  const row = table[i];
  if (row) row[j] = value;
}
