/**
 * Rows that a text names one by one, by a key: `id = $1`, `id IN (1, 2)`, the key of a row to be inserted. By that the same
 * row, changed again, can be told from another one.
 *
 * An integer is taken by its place in the text and never read, so that texts which differ in nothing else keep their
 * facts in common. What it must not know: which rows there are, and who counts them.
 */
import type { InsertStmt, TypeName } from 'libpg-query';
import type { KeyValue, NamedRow } from '../facts.js';
import { as, type Node, names } from '../grammar/tree.js';
import type { Scope } from './scope.js';

/** More rows are not told apart. */
const mostNamed = 100;
/** Longer texts are no keys. */
const longestText = 200;

/** Undefined for all that only data, a function or a variable tells. */
export function keyValue(node: Node | undefined, scope: Scope): KeyValue | undefined {
  const cast = as(node, 'TypeCast');
  if (cast !== undefined) {
    const value = keyValue(cast.arg, scope);
    const type = plainType(cast.typeName);
    return value && type !== undefined ? { ...value, cast: `${value.cast ?? ''}::${type}` } : undefined;
  }
  const parameter = as(node, 'ParamRef')?.number;
  if (parameter !== undefined) return { parameter };
  const literal = as(node, 'A_Const');
  if (literal === undefined) return undefined;
  const text = literal.sval === undefined ? undefined : (literal.sval.sval ?? '');
  if (text !== undefined) return text.length > longestText ? undefined : { text };
  const integer = 'ival' in literal ? scope.integerAt(literal.location ?? 0) : undefined;
  return integer === undefined ? undefined : { integer };
}

/** `varchar(3)` makes another value of it. */
function plainType(type: TypeName | undefined): string | undefined {
  if (type === undefined || type.typmods !== undefined || type.arrayBounds !== undefined) return undefined;
  return names(type.names).join('.');
}

/** @param valuesOf what a column may be, value by value; undefined where that is not known */
export function namedRows(
  keys: readonly (readonly string[])[],
  valuesOf: (column: string) => readonly KeyValue[] | undefined,
): readonly NamedRow[] | undefined {
  let fewest: readonly NamedRow[] | undefined;
  for (const columns of keys) {
    const each = columns.map((column) => valuesOf(column) ?? []);
    const rows = each.reduce<readonly KeyValue[][]>(
      (all, values) =>
        all.length * values.length > mostNamed ? [] : all.flatMap((one) => values.map((v) => [...one, v])),
      [[]],
    );
    if (rows.length === 0 || (fewest !== undefined && fewest.length <= rows.length)) continue;
    fewest = rows.map((values) => ({ columns, values }));
  }
  return fewest;
}

/** What `ON CONFLICT (key) DO UPDATE` changes is a row with the key of one that was to be inserted. */
export function conflictingRows(insert: InsertStmt, scope: Scope): readonly NamedRow[] | undefined {
  const { indexElems = [], whereClause } = insert.onConflictClause?.infer ?? {};
  const rows = as(insert.selectStmt, 'SelectStmt')?.valuesLists ?? [];
  const written = (insert.cols ?? []).map((node) => as(node, 'ResTarget')?.name);
  const columns = indexElems.map((node) => as(node, 'IndexElem')?.name ?? '');
  const places = columns.map((column) => written.indexOf(column));
  if (whereClause !== undefined || rows.length === 0 || rows.length > mostNamed) return undefined;
  if (places.length === 0 || places.includes(-1)) return undefined;
  const found = rows.flatMap((row) => {
    const values = places.flatMap((place) => keyValue(as(row, 'List')?.items?.[place], scope) ?? []);
    return values.length === columns.length ? [{ columns, values }] : [];
  });
  return found.length === rows.length ? found : undefined;
}
