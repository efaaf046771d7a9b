/**
 * Names of one query level for lineage: FROM items and WITH queries, inside the levels around it, bound as
 * parse_relation.c does. Knows nothing of statements or of the catalog.
 */
import { anyFlow, argumentField, type Flow, noFlow } from './catalog.js';
import { union } from './flow.js';
import { type Column, openShape, type Shape, shapeOf, unknownShape } from './shape.js';
import { plain, withBeside } from './structure.js';

export interface FromItem {
  /** What `*` and names without a qualifier see, in order. */
  readonly parts: readonly Shape[];
  /** What `alias.` sees. */
  readonly aliases: ReadonlyMap<string, Shape>;
}

/** Columns every table has; `tableoid` and the like carry no data. */
const systemColumns: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

export class LineageScope {
  readonly parent: LineageScope | undefined;
  readonly #parts: Shape[] = [];
  readonly #aliases = new Map<string, Shape>();
  readonly #ctes = new Map<string, Shape>();
  readonly #ties: (readonly [object, object])[] = [];

  constructor(parent?: LineageScope) {
    this.parent = parent;
  }

  add(item: FromItem): void {
    this.#parts.push(...item.parts);
    for (const [alias, shape] of item.aliases) {
      // Only ambiguous text uses one name twice at a level; it may mean either.
      const known = this.#aliases.get(alias);
      this.#aliases.set(alias, known === undefined ? shape : openShape(union([known.all, shape.all])));
    }
  }

  /** A name that a qualifier may use while `*` does not see it: OLD, NEW, EXCLUDED. */
  addHidden(alias: string, shape: Shape): void {
    if (!this.#aliases.has(alias)) this.#aliases.set(alias, shape);
  }

  /** From here on a relation's columns are others: those of the rows that were written. */
  replace(before: Shape, after: Shape): void {
    for (const [at, part] of this.#parts.entries()) if (part === before) this.#parts[at] = after;
    for (const [alias, shape] of this.#aliases) if (shape === before) this.#aliases.set(alias, after);
  }

  /** Two rows that stand side by side say the same of themselves. */
  tie(row: object, other: object): void {
    this.#ties.push([row, other]);
  }

  /** The row itself, and those that are tied to it. */
  tied(row: object): ReadonlySet<object> {
    const found = new Set([row]);
    for (const one of found) {
      for (const [a, b] of this.#ties) {
        if (a === one) found.add(b);
        if (b === one) found.add(a);
      }
    }
    return found;
  }

  setCte(name: string, shape: Shape): void {
    this.#ctes.set(name, shape);
  }

  cte(name: string): Shape | undefined {
    return this.#ctes.get(name) ?? this.parent?.cte(name);
  }

  /** What a subquery in FROM sees of this level without LATERAL: the WITH queries. */
  withoutParts(): LineageScope {
    const scope = new LineageScope(this.parent);
    for (const [name, shape] of this.#ctes) scope.setCte(name, shape);
    return scope;
  }

  /** The same level, to which a join adds what only it sees. */
  copy(): LineageScope {
    const scope = this.withoutParts();
    scope.add({ parts: this.#parts, aliases: this.#aliases });
    for (const [row, other] of this.#ties) scope.tie(row, other);
    return scope;
  }

  get parts(): readonly Shape[] {
    return this.#parts;
  }

  /** What `*` and what qualifiers see: USING merges the one, not the other. */
  get shapes(): ReadonlySet<Shape> {
    return new Set([...this.#parts, ...this.#aliases.values()]);
  }

  alias(name: string): Shape | undefined {
    return this.#aliases.get(name) ?? this.parent?.alias(name);
  }

  /** A name without a qualifier: a column of this level or of one around it, else a whole row. */
  column(name: string): Column {
    const column = this.#column(name);
    if (column !== undefined) return column;
    const row = this.alias(name);
    if (row !== undefined) return { ...(row.whole ?? plain(row.all)), name };
    return { name, flow: systemColumns.has(name) ? noFlow : anyFlow, direct: false };
  }

  #column(name: string): Column | undefined {
    const { exact, open, anonymous } = lookUp(this.#parts, name);
    if (exact !== undefined) return { ...withBeside(exact, open), name };
    const outer = this.parent === undefined ? undefined : this.parent.#column(name);
    if (!anonymous) return outer;
    // It may be a column that we cannot name, one of an outer level, or a row.
    return { name, flow: union([open, outer?.flow ?? noFlow, this.alias(name)?.all ?? noFlow]), direct: false };
  }
}

/** `name` of a row; PostgreSQL also takes `row.f` for f(row), which may be any function. */
export function fieldOf(shape: Shape, name: string): Column {
  const found = lookUp([shape], name);
  if (found.exact !== undefined) return found.exact;
  if (systemColumns.has(name)) return { name, flow: noFlow, direct: false };
  if (found.anonymous) return { name, flow: ofArgument(shape.all, name), direct: false };
  return { name, flow: union([shape.all, anyFlow]), direct: false };
}

/** An argument of the body's own, alone, has fields of its own. */
function ofArgument(flow: Flow, field: string): Flow {
  const [only] = flow;
  return flow.size === 1 && only !== undefined && /^\$\d+$/.test(only) ? new Set([argumentField(only, field)]) : flow;
}

interface Found {
  readonly exact: Column | undefined;
  /** What flows out of places whose names are not known, where `name` may be one of them. */
  readonly open: Flow;
  readonly anonymous: boolean;
}

function lookUp(parts: readonly Shape[], name: string): Found {
  const exact: Column[] = [];
  const open: Flow[] = [];
  let anonymous = false;
  for (const part of parts) {
    if (part.columns === undefined) {
      open.push(part.all);
      anonymous = true;
      continue;
    }
    const hits = part.columns.filter((column) => column.name === name);
    exact.push(...hits);
    if (hits.length > 0) continue;
    for (const column of part.columns) {
      if (column.name !== undefined) continue;
      open.push(column.flow);
      anonymous = true;
    }
  }
  const [first, ...more] = exact;
  if (first === undefined) return { exact: undefined, open: union(open), anonymous };
  const exactly = more.length === 0 ? first : { name, ...plain(union(exact.map((column) => column.flow))) };
  return { exact: exactly, open: union(open), anonymous };
}

/** JOIN ... USING (names), NATURAL JOIN with `names` undefined: merged columns come first. */
export function joinUsing(
  left: readonly Shape[],
  right: readonly Shape[],
  names: readonly string[] | undefined,
  tie: (row: object, other: object) => void,
): Shape {
  const leftColumns: Column[] = [];
  const rightColumns: Column[] = [];
  for (const [shapes, columns] of [
    [left, leftColumns],
    [right, rightColumns],
  ] as const) {
    for (const shape of shapes) {
      const known = shape.columns;
      if (known === undefined || known.some((column) => column.name === undefined)) {
        return openShape(union([...left, ...right].map((one) => one.all)));
      }
      columns.push(...known);
    }
  }
  const rightNames = new Set(rightColumns.map((column) => column.name));
  const common = names ?? leftColumns.flatMap(({ name }) => (name !== undefined && rightNames.has(name) ? [name] : []));
  const merged = new Set<string | undefined>(common);
  const leftNames = new Set(leftColumns.map((column) => column.name));
  if (!common.every((name) => leftNames.has(name) && rightNames.has(name))) return unknownShape;
  const columns = common.map((name): Column => {
    const both = [...leftColumns, ...rightColumns].filter((column) => column.name === name);
    const merged = { name, flow: union(both.map((one) => one.flow)), direct: both.every((one) => one.direct) };
    const [left, right] = both.map(({ told }) => (told !== undefined && 'key' in told ? told : undefined));
    if (left?.names === undefined || right?.names === undefined) return merged;
    tie(left.row, right.row);
    return { ...merged, told: { ...left, names: [...new Set([...left.names, ...right.names])] } };
  });
  const rest = [...leftColumns, ...rightColumns].filter((column) => !merged.has(column.name));
  return shapeOf([...columns, ...rest]);
}
