/**
 * The flow of values through a body in PL/pgSQL: what its variables may hold, what it returns, where it puts values.
 *
 * What lives here: the variables, as sets of columns that only grow: statements are followed in rounds, in whatever
 * order they may run, until nothing is new. Conditions are inference, as in a query. What it must not know: which
 * function it is, masks. Dynamic SQL is followed where it is one constant text.
 */
import type { Grammar } from '../grammar/grammar.js';
import { storedRows } from './calls.js';
import { anyFlow, baseColumn, type Flow, noFlow } from './catalog.js';
import { union } from './flow.js';
import { isScalarType } from './loaded-code.js';
import { LineageScope } from './scope.js';
import { type Column, emptyShape, openShape, overlay, type Shape, sameShape, shapeOf, unknownShape } from './shape.js';
import { bodyStatement } from './statement.js';
import { converted, fieldsOf, plain, rowOf, type Value } from './structure.js';
import type { LineageWalk } from './walk.js';

export interface BodyContext {
  /** What the body knows by name from the start: parameters; NEW and OLD of a trigger. */
  readonly variables: ReadonlyMap<string, Shape>;
  /** The function's name, which may stand in front of a parameter's. */
  readonly label: string;
  /** Variables that are the result. */
  readonly outputs: readonly string[];
  /** @param values what `$1` and so on stand for; the function's own parameters where it is left out */
  readonly start: (scope: LineageScope, values?: readonly Flow[]) => LineageWalk;
}

export interface BodyFlow {
  readonly walk: LineageWalk;
  readonly rows: Shape;
  /** What was assigned to a field of a record: `new.card`. */
  readonly fields: ReadonlyMap<string, Column>;
  /** Of a trigger: the row NEW goes back, of which nothing but `fields` was assigned, or none. */
  readonly keepsRow: boolean;
}

/** Node of the tree that the PL/pgSQL parser prints: tag to struct, as in the parse tree of SQL. */
type Struct = Readonly<Record<string, unknown>>;

/** Each round passes values one assignment further at least. */
const maxRounds = 12;
/** What variables are made of is followed so long: a form that holds itself would grow for ever. */
const roundsWithForms = 5;

/** GET STACKED DIAGNOSTICS: a message may name values of the row that failed. */
const errorText = /^(MESSAGE_TEXT|PG_EXCEPTION_|PG_CONTEXT)/;

export class PlpgsqlFlow {
  readonly #tree: unknown;
  readonly #grammar: Grammar;
  readonly #context: BodyContext;
  readonly #datums: readonly Struct[];
  readonly #variables = new Map<string, Shape>();
  readonly #fields = new Map<string, Column>();
  #walk!: LineageWalk;
  #rows: Shape | undefined;
  #cursors: Shape = emptyShape;
  /** What an error message may hold: the values of every relation touched. */
  #errors: Flow = noFlow;
  #grew = false;
  #keepsRow = true;
  #round = 0;
  /** The declared types of variables that hold a row. */
  readonly #types = new Map<string, RowType>();
  /** Variables that hold one value, not a row. */
  readonly #scalars = new Set<string>();

  constructor(tree: unknown, grammar: Grammar, context: BodyContext) {
    this.#tree = tree;
    this.#grammar = grammar;
    this.#context = context;
    this.#datums = structsIn(tree, 'PLpgSQL_function').flatMap((one) => (one.datums as Struct[] | undefined) ?? []);
    for (const datum of this.#datums) {
      const named = (datum.PLpgSQL_var ?? datum.PLpgSQL_rec) as Struct | undefined;
      if (named !== undefined) this.#variables.set(String(named.refname), unassigned);
      if (named === undefined) continue;
      const type = rowType(named);
      if (type !== undefined) this.#types.set(String(named.refname), type);
      if (datum.PLpgSQL_var !== undefined) this.#scalars.add(String(named.refname));
    }
    for (const [name, shape] of context.variables) if (name !== '') this.#variables.set(name, shape);
  }

  follow(): BodyFlow {
    for (let round = 0; ; round++) {
      this.#grew = false;
      this.#round = round;
      this.#walk = this.#context.start(this.#scope());
      if (round === 0) this.#declareRows();
      this.#visit(this.#tree);
      this.#noteErrors();
      if (!this.#grew) break;
      if (round < maxRounds) continue;
      this.#walk.opaque = true;
      return { walk: this.#walk, rows: unknownShape, fields: this.#fields, keepsRow: false };
    }
    const outputs = this.#context.outputs.map((name): Column => {
      return { ...this.#held(name), name };
    });
    const returned = this.#rows;
    const rows =
      outputs.length === 0 ? (returned ?? emptyShape) : overlay(shapeOf(outputs), returned ?? shapeOf(outputs));
    return { walk: this.#walk, rows, fields: this.#fields, keepsRow: this.#keepsRow && !this.#walk.opaque };
  }

  #declareRows(): void {
    for (const [name, { schema, type }] of this.#types) {
      const { catalog, searchPath } = this.#walk.knowledge;
      const relation = catalog.isKnown(type) ? catalog.find(schema, type, searchPath) : undefined;
      if (relation === undefined || this.#context.variables.has(name)) {
        this.#types.delete(name);
        continue;
      }
      this.#scalars.delete(name);
      this.#put(name, shapeOf(relation.columns.map((one) => ({ name: one.name, flow: noFlow, direct: false }))));
    }
  }

  #scope(): LineageScope {
    const scope = new LineageScope();
    const columns = [...this.#variables.keys()].map((name): Column => ({ ...this.#held(name), name }));
    scope.add({
      parts: [shapeOf(columns)],
      aliases: new Map([[this.#context.label, shapeOf(columns)], ...this.#variables]),
    });
    return scope;
  }

  /** A variable as one value. */
  #held(name: string): Value {
    const { columns, all } = this.#variables.get(name) ?? unassigned;
    if (!this.#scalars.has(name) && columns !== undefined) return rowOf(columns);
    const [only, ...more] = columns ?? [];
    return only === undefined || more.length > 0 ? plain(all) : { ...only, direct: false };
  }

  #visit(node: unknown): void {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node) this.#visit(item);
      return;
    }
    for (const [tag, struct] of Object.entries(node as Struct)) {
      const handler = this.#handlers[tag];
      if (handler === undefined) this.#visit(struct);
      else handler(struct as Struct);
    }
  }

  readonly #handlers: Readonly<Record<string, (struct: Struct) => void>> = {
    PLpgSQL_expr: (struct) => void this.#rowsOf(struct),
    PLpgSQL_var: (struct) => {
      const { refname, default_val, cursor_explicit_expr } = struct;
      if (default_val !== undefined) this.#set(String(refname), this.#value(default_val));
      if (cursor_explicit_expr !== undefined) this.#open(this.#value(cursor_explicit_expr));
      if (refname === 'sqlerrm') this.#set('sqlerrm', openShape(this.#errors));
    },
    PLpgSQL_stmt_assign: (struct) => this.#assign(struct),
    PLpgSQL_stmt_execsql: ({ sqlstmt, target }) => this.#into(target, this.#value(sqlstmt)),
    PLpgSQL_stmt_dynexecute: ({ query, params, target }) => this.#into(target, this.#dynamic(query, params)),
    PLpgSQL_stmt_fors: ({ var: target, query, body }) => this.#loop(target, this.#value(query), body),
    PLpgSQL_stmt_dynfors: ({ var: target, query, params, body }) =>
      this.#loop(target, this.#dynamic(query, params), body),
    PLpgSQL_stmt_forc: ({ var: target, argquery, body }) => {
      this.#visit(argquery);
      this.#loop(target, this.#cursors, body);
    },
    PLpgSQL_stmt_fori: ({ var: target, lower, upper, step, body }) =>
      this.#loop(target, openShape(union([lower, upper, step].map((one) => this.#value(one).all))), body),
    PLpgSQL_stmt_foreach_a: ({ varno, expr, body }) => {
      this.#setDatum(varno, openShape(this.#value(expr).all));
      this.#visit(body);
    },
    PLpgSQL_stmt_open: ({ query, dynquery, params, argquery }) => {
      this.#visit(argquery);
      if (query !== undefined) this.#open(this.#value(query));
      if (dynquery !== undefined) this.#open(this.#dynamic(dynquery, params));
    },
    PLpgSQL_stmt_fetch: ({ target }) => this.#into(target, this.#cursors),
    PLpgSQL_stmt_getdiag: ({ diag_items }) => {
      for (const { kind, target } of structsIn(diag_items, 'PLpgSQL_diag_item')) {
        if (errorText.test(String(kind))) this.#setDatum(target, openShape(this.#errors));
      }
    },
    PLpgSQL_stmt_return: (struct) => this.#return(struct),
    PLpgSQL_stmt_return_next: (struct) => this.#return(struct),
    PLpgSQL_stmt_return_query: ({ query, dynquery, params }) =>
      this.#give(dynquery === undefined ? this.#value(query) : this.#dynamic(dynquery, params)),
  };

  #loop(target: unknown, rows: Shape, body: unknown): void {
    this.#into(target, rows);
    this.#visit(body);
  }

  #open(rows: Shape): void {
    this.#cursors = this.#cursors === emptyShape ? rows : openShape(union([this.#cursors.all, rows.all]));
  }

  /** The parser prints the variable's number only sometimes; a RETURN that nobody wrote has no line. */
  #return({ expr, retvarno, lineno }: Struct): void {
    if (expr !== undefined) {
      const text = (expr as { PLpgSQL_expr?: { query?: unknown } }).PLpgSQL_expr?.query;
      this.#keepsRow &&= newRow.test(String(text));
      this.#give(this.#value(expr));
      return;
    }
    if (this.#context.outputs.length > 0 || lineno === undefined) return;
    const name = retvarno === undefined ? undefined : this.#nameOf(retvarno);
    this.#keepsRow &&= name === 'new';
    const any = openShape(union([...this.#variables.values()].map((one) => one.all)));
    this.#give(this.#variables.get(name ?? '') ?? any);
  }

  #give(given: Shape): void {
    const rows = storedRows(given, this.#walk);
    this.#rows = this.#rows === undefined ? rows : overlay(this.#rows, rows);
  }

  /** `target := expression`; a subscript in the target is computed too. */
  #assign({ varno, expr }: Struct): void {
    const text = (expr as { PLpgSQL_expr?: { query?: unknown } } | undefined)?.PLpgSQL_expr?.query;
    const [, target, value] = /^([\s\S]*?)(?::=|=)([\s\S]*)$/.exec(typeof text === 'string' ? text : '') ?? [];
    const rows = value === undefined ? this.#lost() : this.#text(`SELECT ${value}`);
    const isPart = target?.includes('[') === true;
    if (isPart) this.#text(`SELECT ${target}`);
    this.#setDatum(varno, isPart ? openShape(rows.all) : rows);
  }

  #into(target: unknown, rows: Shape): void {
    const found = target as Struct | undefined;
    const record = (found?.PLpgSQL_rec ?? found?.PLpgSQL_var) as Struct | undefined;
    if (record !== undefined) this.#set(String(record.refname), rows);
    const fields = (found?.PLpgSQL_row as Struct | undefined)?.fields as readonly Struct[] | undefined;
    // the parser, which knows no tables, takes a variable of a table's type for one value
    const [only, ...more] = fields ?? [];
    const row = only !== undefined && more.length === 0 ? this.#nameOf(only.varno) : undefined;
    if (row !== undefined && this.#types.has(row)) {
      this.#set(row, rows);
      return;
    }
    const placed = rows.columns?.length === fields?.length ? rows.columns : undefined;
    for (const [at, { varno }] of fields?.entries() ?? []) {
      const column = placed?.[at];
      this.#setDatum(varno, column === undefined ? openShape(rows.all) : shapeOf([column]));
    }
  }

  /** Datums are counted from 0, which is left out of the printed tree. */
  #setDatum(number: unknown, rows: Shape): void {
    const datum = this.#datums[Number(number ?? 0)];
    const field = datum?.PLpgSQL_recfield as Struct | undefined;
    if (field === undefined) {
      const name = this.#nameOf(number);
      if (name !== undefined) this.#set(name, rows);
      return;
    }
    const record = this.#nameOf(field.recparentno) ?? '';
    this.#setField(record, String(field.fieldname), storedRows(rows, this.#walk));
  }

  #nameOf(number: unknown): string | undefined {
    const datum = this.#datums[Number(number ?? 0)];
    const named = (datum?.PLpgSQL_var ?? datum?.PLpgSQL_rec) as Struct | undefined;
    return named === undefined ? undefined : String(named.refname);
  }

  #setField(record: string, field: string, rows: Shape): void {
    const key = `${record}.${field}`;
    const before = this.#fields.get(key);
    const direct = rows.columns?.length === 1 && rows.columns[0]?.direct === true && before?.direct !== false;
    this.#fields.set(key, { name: field, flow: union([before?.flow ?? noFlow, rows.all]), direct });
    const known = this.#variables.get(record);
    if (known?.columns?.some(({ name }) => name === field)) {
      const columns = known.columns.map((one) =>
        one.name === field ? { ...one, flow: union([one.flow, rows.all]), direct: false } : one,
      );
      this.#put(record, shapeOf(columns));
    } else {
      this.#set(record, openShape(rows.all));
    }
  }

  #set(name: string, given: Shape): void {
    if (name === 'new') this.#keepsRow = false;
    const stored = storedRows(given, this.#walk);
    const before = this.#variables.get(name);
    const rows = this.#scalars.has(name) ? oneValue(stored) : ofRow(stored, this.#types.has(name) ? before : undefined);
    const isFirst = before === undefined || before === unassigned;
    if (isFirst) this.#put(name, rows);
    else this.#put(name, sameNames(before, rows) ? overlay(before, rows) : openShape(union([before.all, rows.all])));
  }

  #put(name: string, shape: Shape): void {
    const before = this.#variables.get(name);
    const after = this.#round < roundsWithForms ? shape : withoutForms(shape);
    if (before === undefined || !sameShape(before, after) || !sameNames(before, after)) this.#grew = true;
    this.#variables.set(name, after);
  }

  #noteErrors(): void {
    const { relations, knowledge, opaque } = this.#walk;
    const touched = [...relations].flatMap((oid) =>
      (knowledge.catalog.byOid(oid)?.columns ?? []).map(({ number }) => baseColumn(oid, number)),
    );
    const flow = union([opaque ? anyFlow : noFlow, new Set(touched)]);
    if (flow.size !== this.#errors.size) this.#grew = true;
    this.#errors = flow;
  }

  #value(expression: unknown): Shape {
    const struct = (expression as Struct | undefined)?.PLpgSQL_expr as Struct | undefined;
    return struct === undefined ? emptyShape : this.#rowsOf(struct);
  }

  /** RawParseMode: 0 is a whole statement, 2 an expression; assignments are taken apart before. */
  #rowsOf({ query, parseMode }: Struct): Shape {
    if (typeof query !== 'string') return this.#lost();
    if (parseMode === undefined || parseMode === 0) return this.#text(query);
    if (parseMode !== 2) return this.#lost();
    const record = /^\s*(\w+)\s*$/.exec(query)?.[1]?.toLowerCase();
    return this.#variables.get(record ?? '') ?? this.#text(`SELECT ${query}`);
  }

  #text(sql: string, walk = this.#walk): Shape {
    const parsed = this.#grammar.parse(sql);
    if ('rejection' in parsed) return this.#lost();
    let rows: Shape = emptyShape;
    for (const { stmt } of parsed.tree.stmts ?? []) rows = bodyStatement(stmt, walk);
    return rows;
  }

  /** EXECUTE: a constant text is as good as a static one; its parameters are `$1` and so on. */
  #dynamic(query: unknown, params: unknown): Shape {
    this.#value(query);
    const values = (Array.isArray(params) ? params : []).map((one) => this.#value(one).all);
    const text = ((query as Struct | undefined)?.PLpgSQL_expr as Struct | undefined)?.query;
    const literal = typeof text === 'string' ? /^\s*'((?:[^'\\]|'')*)'\s*$/.exec(text)?.[1] : undefined;
    if (literal === undefined) return this.#lost();
    // inside the text there are no variables
    const inner = this.#context.start(new LineageScope(), values);
    const rows = this.#text(literal.replaceAll("''", "'"), inner);
    this.#walk.adopt(inner);
    return rows;
  }

  #lost(): Shape {
    this.#walk.opaque = true;
    return unknownShape;
  }
}

/** What a trigger gives back where it leaves the row as it is, or leaves it out. NEW is NULL on DELETE alone. */
const newRow = /^\s*(new|null|coalesce\(\s*new\s*,\s*old\s*\))\s*$/i;

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

/** Every struct of that tag, at any depth. */
function structsIn(node: unknown, tag: string): Struct[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((item) => structsIn(item, tag));
  return Object.entries(node as Struct).flatMap(([key, value]) =>
    key === tag ? [value as Struct] : structsIn(value, tag),
  );
}
