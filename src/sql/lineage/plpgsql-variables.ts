/**
 * What the variables of a body in PL/pgSQL may hold: rows, single values, fields that were assigned one by one.
 *
 * What lives here: sets of columns that only grow, from round to round. What it must not know: statements, expressions,
 * which of them comes first.
 */
import { storedRows } from './calls.js';
import { noFlow } from './catalog.js';
import { union } from './flow.js';
import { isScalarType } from './loaded-code.js';
import { LineageScope } from './scope.js';
import { type Column, openShape, overlay, type Shape, sameShape, shapeOf } from './shape.js';
import { converted, fieldsOf, plain, rowOf, type Value } from './structure.js';
import type { LineageWalk } from './walk.js';

/** Node of the tree that the PL/pgSQL parser prints: tag to struct, as in the parse tree of SQL. */
export type Struct = Readonly<Record<string, unknown>>;

/** What variables are made of is followed so long: a form that holds itself would grow for ever. */
const roundsWithForms = 5;

export class PlpgsqlVariables {
  /** What was assigned to a field of a record: `new.card`. */
  readonly fields = new Map<string, Column>();
  /** NEW as a whole. */
  newAssigned = false;
  /** Something holds more than in the round before. */
  grew = false;
  readonly #datums: readonly Struct[];
  readonly #given: ReadonlyMap<string, Shape>;
  readonly #shapes = new Map<string, Shape>();
  /** The declared types of variables that hold a row. */
  readonly #types = new Map<string, RowType>();
  /** Variables that hold one value, not a row. */
  readonly #scalars = new Set<string>();
  #round = 0;
  #walk!: LineageWalk;

  /**
   * @param datums as the parser counts them
   * @param given what the body knows by name from the start
   */
  constructor(datums: readonly Struct[], given: ReadonlyMap<string, Shape>) {
    this.#datums = datums;
    this.#given = given;
    for (const datum of datums) {
      const named = (datum.PLpgSQL_var ?? datum.PLpgSQL_rec) as Struct | undefined;
      if (named === undefined) continue;
      const name = String(named.refname);
      this.#shapes.set(name, unassigned);
      const type = rowType(named);
      if (type !== undefined) this.#types.set(name, type);
      if (datum.PLpgSQL_var !== undefined) this.#scalars.add(name);
    }
    for (const [name, shape] of given) if (name !== '') this.#shapes.set(name, shape);
  }

  /** @param start a walk in which their names mean them */
  begin(round: number, label: string, start: (scope: LineageScope) => LineageWalk): LineageWalk {
    this.grew = false;
    this.#round = round;
    this.#walk = start(this.#scope(label));
    if (round === 0) this.#declareRows();
    return this.#walk;
  }

  get(name: string): Shape | undefined {
    return this.#shapes.get(name);
  }

  /** Any of them. */
  get any(): Shape {
    return openShape(union([...this.#shapes.values()].map((one) => one.all)));
  }

  isRow(name: string): boolean {
    return this.#types.has(name);
  }

  /** Datums are counted from 0, which is left out of the printed tree. */
  setDatum(number: unknown, rows: Shape): void {
    const datum = this.#datums[Number(number ?? 0)];
    const field = datum?.PLpgSQL_recfield as Struct | undefined;
    if (field === undefined) {
      const name = this.nameOf(number);
      if (name !== undefined) this.set(name, rows);
      return;
    }
    const record = this.nameOf(field.recparentno) ?? '';
    this.#setField(record, String(field.fieldname), storedRows(rows, this.#walk));
  }

  nameOf(number: unknown): string | undefined {
    const datum = this.#datums[Number(number ?? 0)];
    const named = (datum?.PLpgSQL_var ?? datum?.PLpgSQL_rec) as Struct | undefined;
    return named === undefined ? undefined : String(named.refname);
  }

  #declareRows(): void {
    for (const [name, { schema, type }] of this.#types) {
      const { catalog, searchPath } = this.#walk.knowledge;
      const relation = catalog.isKnown(type) ? catalog.find(schema, type, searchPath) : undefined;
      if (relation === undefined || this.#given.has(name)) {
        this.#types.delete(name);
        continue;
      }
      this.#scalars.delete(name);
      this.#put(name, shapeOf(relation.columns.map((one) => ({ name: one.name, flow: noFlow, direct: false }))));
    }
  }

  #scope(label: string): LineageScope {
    const scope = new LineageScope();
    const columns = [...this.#shapes.keys()].map((name): Column => ({ ...this.held(name), name }));
    scope.add({
      parts: [shapeOf(columns)],
      aliases: new Map([[label, shapeOf(columns)], ...this.#shapes]),
    });
    return scope;
  }

  /** A variable as one value. */
  held(name: string): Value {
    const { columns, all } = this.#shapes.get(name) ?? unassigned;
    if (!this.#scalars.has(name) && columns !== undefined) return rowOf(columns);
    const [only, ...more] = columns ?? [];
    return only === undefined || more.length > 0 ? plain(all) : { ...only, direct: false };
  }

  #setField(record: string, field: string, rows: Shape): void {
    const key = `${record}.${field}`;
    const before = this.fields.get(key);
    const direct = rows.columns?.length === 1 && rows.columns[0]?.direct === true && before?.direct !== false;
    this.fields.set(key, { name: field, flow: union([before?.flow ?? noFlow, rows.all]), direct });
    const known = this.#shapes.get(record);
    if (known?.columns?.some(({ name }) => name === field)) {
      const columns = known.columns.map((one) =>
        one.name === field ? { ...one, flow: union([one.flow, rows.all]), direct: false } : one,
      );
      this.#put(record, shapeOf(columns));
    } else {
      this.set(record, openShape(rows.all));
    }
  }

  set(name: string, given: Shape): void {
    if (name === 'new') this.newAssigned = true;
    const stored = storedRows(given, this.#walk);
    const before = this.#shapes.get(name);
    const rows = this.#scalars.has(name) ? oneValue(stored) : ofRow(stored, this.#types.has(name) ? before : undefined);
    const isFirst = before === undefined || before === unassigned;
    if (isFirst) this.#put(name, rows);
    else this.#put(name, sameNames(before, rows) ? overlay(before, rows) : openShape(union([before.all, rows.all])));
  }

  #put(name: string, shape: Shape): void {
    const before = this.#shapes.get(name);
    const after = this.#round < roundsWithForms ? shape : withoutForms(shape);
    if (before === undefined || !sameShape(before, after) || !sameNames(before, after)) this.grew = true;
    this.#shapes.set(name, after);
  }
}

/** A variable that nothing was assigned to is NULL. */
const unassigned: Shape = openShape(noFlow);

function oneValue({ columns, all }: Shape): Shape {
  const [only, ...more] = columns ?? [];
  return only === undefined || more.length > 0 ? openShape(all) : shapeOf([{ ...converted(only), name: undefined }]);
}

interface RowType {
  readonly schema: string | undefined;
  readonly type: string;
}

/** Of a variable that is declared with the type of a relation's rows, by a name that needs no quotes. */
function rowType({ datatype }: Struct): RowType | undefined {
  const name = (datatype as { PLpgSQL_type?: { typname?: unknown } } | undefined)?.PLpgSQL_type?.typname;
  const [, schema, type, isRow] = /^(?:([a-z_]\w*)\.)?([a-z_]\w*)(%rowtype)?$/i.exec(String(name)) ?? [];
  if (type === undefined || type === 'record' || (isRow === undefined && isScalarType(type))) return undefined;
  return { schema, type };
}

/** A row that was assigned as one value has its fields by their places. @param declared the columns of the variable's type */
function ofRow(rows: Shape, declared: Shape | undefined): Shape {
  const [only, ...more] = rows.columns ?? [];
  const fields = only !== undefined && more.length === 0 ? fieldsOf(only) : undefined;
  // fields that ROW() made have no names of their own
  const columns = fields?.map(
    (one): Column => ({ ...one, name: /^f\d+$/.test(one.name ?? '') ? undefined : one.name }),
  );
  const given = columns === undefined ? rows : shapeOf(columns);
  const names = declared?.columns;
  if (names === undefined) return given;
  const placed = given.columns?.length === names.length ? given.columns : undefined;
  return shapeOf(
    names.map(({ name }, at) => (placed?.[at] ? { ...placed[at], name } : { name, flow: given.all, direct: false })),
  );
}

function withoutForms({ columns, all }: Shape): Shape {
  return { columns: columns?.map(({ name, flow }) => ({ name, flow, direct: false })), all };
}

function sameNames(a: Shape, b: Shape): boolean {
  if (a.columns?.length !== b.columns?.length) return false;
  return a.columns?.every((column, at) => column.name === b.columns?.[at]?.name) ?? true;
}
