/** What a command tag says ("CommandComplete" in the PostgreSQL manual): `INSERT 0 5`, `SELECT 7`, `BEGIN`. */

/** Of one text as many are kept, and of a longer one its last as the last. */
export const mostTags = 10_000;

/** Its last number, if it ends in one: rows. On the way of every statement. */
export function rowsIn(tag: string): number | undefined {
  let rows = 0;
  let power = 1;
  let at = tag.length - 1;
  for (; at >= 0; at--) {
    const digit = tag.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) break;
    rows += digit * power;
    power *= 10;
  }
  return power > 1 && tag[at] === ' ' ? rows : undefined;
}

/** Rows that it says were added or changed; undefined where it is not of such a command. */
export function rowsChangedIn(tag: string): number | undefined {
  return changing.test(tag) ? rowsIn(tag) : undefined;
}

const changing = /^(?:INSERT|UPDATE|DELETE|MERGE) \d/;
