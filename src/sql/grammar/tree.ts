/** Raw parse trees as libpg_query prints them: how to take a node apart. The shapes are PostgreSQL's parsenodes.h. */
import type * as Pg from 'libpg-query';

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never;

/** Node tag -> its struct: `NodeTypes['SelectStmt']` is SelectStmt. */
export type NodeTypes = UnionToIntersection<Pg.Node>;
export type Tag = keyof NodeTypes & string;
export type Node = Pg.Node;

export interface ParseTree {
  readonly stmts?: readonly { readonly stmt?: Node; readonly stmt_location?: number; readonly stmt_len?: number }[];
}

/** PostgreSQL 16 has `returningList` where 18 has `returningClause`. */
export interface Returning {
  readonly returningList?: readonly Node[];
  readonly returningClause?: Pg.ReturningClause;
}

export function returningOf(statement: Returning): readonly Node[] {
  return statement.returningClause?.exprs ?? statement.returningList ?? [];
}

/** A node is an object with one key, its tag: `{"SelectStmt": {...}}`. */
function isNode(value: object): value is Node {
  let count = 0;
  for (const key in value) {
    const first = key.charCodeAt(0);
    if (++count > 1 || first < 65 || first > 90) return false;
  }
  return count === 1;
}

export function tagOf(node: Node): Tag {
  for (const key in node) return key as Tag;
  return 'RawStmt';
}

/** The struct of `node` when it is of that kind. */
export function as<T extends Tag>(node: Node | undefined, tag: T): NodeTypes[T] | undefined {
  return node === undefined ? undefined : (node as Partial<NodeTypes>)[tag];
}

/** The strings of a list of String nodes: `[{String:{sval:"a"}}]` -> `["a"]`; others are left out. */
export function names(list: readonly Node[] | undefined): string[] {
  const found: string[] = [];
  for (const node of list ?? []) {
    const text = as(node, 'String')?.sval;
    if (text !== undefined) found.push(text);
  }
  return found;
}

/** The text of `LANGUAGE x` and of `AS 'x'`; a C function's `AS 'file', 'symbol'` has two texts and is none. */
export function optionText(options: readonly Node[] | undefined, name: string): string | undefined {
  for (const node of options ?? []) {
    const option = as(node, 'DefElem');
    if (option?.defname !== name) continue;
    const list = names(as(option.arg, 'List')?.items);
    return as(option.arg, 'String')?.sval ?? (list.length === 1 ? list[0] : undefined);
  }
  return undefined;
}

/** Calls `visit` for each node directly below `struct`, also through plain structs and lists. */
export function eachChild(struct: unknown, visit: (node: Node) => void): void {
  if (typeof struct !== 'object' || struct === null) return;
  if (Array.isArray(struct)) {
    for (const item of struct) descend(item, visit);
    return;
  }
  // an integer holds no nodes, and integer-blind.ts wants to know who reads it
  for (const key in struct) if (key !== 'ival') descend((struct as Record<string, unknown>)[key], visit);
}

function descend(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && isNode(value)) visit(value);
  else eachChild(value, visit);
}

/** Structural equality, positions aside. */
export function sameTree(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([key]) => key !== 'location');
  const right = new Map(Object.entries(b).filter(([key]) => key !== 'location'));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameTree(value, right.get(key)));
}

/** A text that is the same for the same tree, positions aside. */
export function treeKey(tree: unknown): string {
  if (typeof tree !== 'object' || tree === null) return JSON.stringify(tree) ?? '';
  if (Array.isArray(tree)) return `[${tree.map(treeKey).join()}]`;
  const parts: string[] = [];
  for (const [key, value] of Object.entries(tree)) if (key !== 'location') parts.push(`${key}:${treeKey(value)}`);
  return `{${parts.join()}}`;
}

export function isConstant(node: Node | undefined): boolean {
  return as(node, 'A_Const') !== undefined;
}

/** The value of a string constant; looks at no other kind, see integer-blind.ts. */
export function stringConstant(node: Node | undefined): string | undefined {
  const text = as(node, 'A_Const')?.sval;
  return text && (text.sval ?? '');
}

/** The value of a boolean constant; looks at no other kind. */
export function booleanConstant(node: Node | undefined): boolean | undefined {
  const truth = as(node, 'A_Const')?.boolval;
  return truth && (truth.boolval ?? false);
}

/** A constant's value: number, string or boolean; null for NULL; undefined for anything else. Casts are not followed. */
export function constant(node: Node | undefined): string | number | boolean | null | undefined {
  const value = as(node, 'A_Const');
  if (value === undefined) return undefined;
  if (value.isnull === true) return null;
  if (value.sval !== undefined) return value.sval.sval ?? '';
  if (value.ival !== undefined) return value.ival.ival ?? 0;
  if (value.fval !== undefined) return Number(value.fval.fval);
  if (value.boolval !== undefined) return value.boolval.boolval ?? false;
  return value.bsval?.bsval;
}
