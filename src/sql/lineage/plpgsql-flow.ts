/**
 * The flow of values through a body in PL/pgSQL: what its variables may hold, what it returns, where it puts values.
 *
 * What lives here: statements, followed in rounds, in whatever order they may run, until no variable holds more.
 * Conditions are inference, as in a query. What it must not know: which function it is, masks. Dynamic SQL is followed
 * where it is one constant text.
 */
import type { Grammar } from '../grammar/grammar.js';
import { storedRows } from './calls.js';
import { anyFlow, baseColumn, type Flow, noFlow } from './catalog.js';
import { union } from './flow.js';
import { PlpgsqlVariables, type Struct } from './plpgsql-variables.js';
import { LineageScope } from './scope.js';
import { type Column, emptyShape, openShape, overlay, type Shape, shapeOf, unknownShape } from './shape.js';
import { bodyStatement } from './statement.js';
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

/** Each round passes values one assignment further at least. */
const maxRounds = 12;

/** GET STACKED DIAGNOSTICS: a message may name values of the row that failed. */
const errorText = /^(MESSAGE_TEXT|PG_EXCEPTION_|PG_CONTEXT)/;

export class PlpgsqlFlow {
  readonly #tree: unknown;
  readonly #grammar: Grammar;
  readonly #context: BodyContext;
  readonly #variables: PlpgsqlVariables;
  #walk!: LineageWalk;
  #rows: Shape | undefined;
  #cursors: Shape = emptyShape;
  /** What an error message may hold: the values of every relation touched. */
  #errors: Flow = noFlow;
  #keepsRow = true;

  constructor(tree: unknown, grammar: Grammar, context: BodyContext) {
    this.#tree = tree;
    this.#grammar = grammar;
    this.#context = context;
    const datums = structsIn(tree, 'PLpgSQL_function').flatMap((one) => (one.datums as Struct[] | undefined) ?? []);
    this.#variables = new PlpgsqlVariables(datums, context.variables);
  }

  follow(): BodyFlow {
    for (let round = 0; ; round++) {
      this.#walk = this.#variables.begin(round, this.#context.label, this.#context.start);
      this.#visit(this.#tree);
      this.#noteErrors();
      if (!this.#variables.grew) break;
      if (round < maxRounds) continue;
      this.#walk.opaque = true;
      return { walk: this.#walk, rows: unknownShape, fields: this.#variables.fields, keepsRow: false };
    }
    const outputs = this.#context.outputs.map((name): Column => {
      return { ...this.#variables.held(name), name };
    });
    const returned = this.#rows;
    const rows =
      outputs.length === 0 ? (returned ?? emptyShape) : overlay(shapeOf(outputs), returned ?? shapeOf(outputs));
    const keepsRow = this.#keepsRow && !this.#variables.newAssigned && !this.#walk.opaque;
    return { walk: this.#walk, rows, fields: this.#variables.fields, keepsRow };
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
      if (default_val !== undefined) this.#variables.set(String(refname), this.#value(default_val));
      if (cursor_explicit_expr !== undefined) this.#open(this.#value(cursor_explicit_expr));
      if (refname === 'sqlerrm') this.#variables.set('sqlerrm', openShape(this.#errors));
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
      this.#variables.setDatum(varno, openShape(this.#value(expr).all));
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
        if (errorText.test(String(kind))) this.#variables.setDatum(target, openShape(this.#errors));
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
    const name = retvarno === undefined ? undefined : this.#variables.nameOf(retvarno);
    this.#keepsRow &&= name === 'new';
    this.#give(this.#variables.get(name ?? '') ?? this.#variables.any);
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
    this.#variables.setDatum(varno, isPart ? openShape(rows.all) : rows);
  }

  #into(target: unknown, rows: Shape): void {
    const found = target as Struct | undefined;
    const record = (found?.PLpgSQL_rec ?? found?.PLpgSQL_var) as Struct | undefined;
    if (record !== undefined) this.#variables.set(String(record.refname), rows);
    const fields = (found?.PLpgSQL_row as Struct | undefined)?.fields as readonly Struct[] | undefined;
    // the parser, which knows no tables, takes a variable of a table's type for one value
    const [only, ...more] = fields ?? [];
    const row = only !== undefined && more.length === 0 ? this.#variables.nameOf(only.varno) : undefined;
    if (row !== undefined && this.#variables.isRow(row)) {
      this.#variables.set(row, rows);
      return;
    }
    const placed = rows.columns?.length === fields?.length ? rows.columns : undefined;
    for (const [at, { varno }] of fields?.entries() ?? []) {
      const column = placed?.[at];
      this.#variables.setDatum(varno, column === undefined ? openShape(rows.all) : shapeOf([column]));
    }
  }

  #noteErrors(): void {
    const { relations, knowledge, opaque } = this.#walk;
    const touched = [...relations].flatMap((oid) =>
      (knowledge.catalog.byOid(oid)?.columns ?? []).map(({ number }) => baseColumn(oid, number)),
    );
    const flow = union([opaque ? anyFlow : noFlow, new Set(touched)]);
    if (flow.size !== this.#errors.size) this.#variables.grew = true;
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

/** Every struct of that tag, at any depth. */
function structsIn(node: unknown, tag: string): Struct[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((item) => structsIn(item, tag));
  return Object.entries(node as Struct).flatMap(([key, value]) =>
    key === tag ? [value as Struct] : structsIn(value, tag),
  );
}
