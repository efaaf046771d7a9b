/**
 * Queries and expressions for lineage.
 * State: what the statement was seen to touch. Must not know masks, nor which statement the query is part of.
 */
import type { CommonTableExpr, JoinExpr, RangeFunction, RangeVar, SelectStmt, WithClause } from 'libpg-query';
import { as, eachChild, type Node, names, tagOf } from '../grammar/tree.js';
import {
  anyColumn,
  anyFlow,
  baseColumn,
  type CatalogCode,
  type CatalogRelation,
  type Flow,
  type LineageCatalog,
  missingCode,
  noFlow,
  type OwnCode,
  type SearchPath,
} from './catalog.js';
import { type Conduct, type FunctionConduct, revealsValues, tableFunctions } from './functions.js';
import { type FromItem, fieldOf, joinUsing, LineageScope } from './scope.js';
import {
  type Column,
  concat,
  emptyShape,
  openShape,
  overlay,
  renamed,
  type Shape,
  type Sink,
  sameShape,
  shapeOf,
  union,
  unknownShape,
} from './shape.js';

/** What a call of a function does, its arguments left open: what it touched, and the rows that it gives back. */
export interface CodeFlow {
  readonly walk: LineageWalk;
  readonly rows: Shape;
}

export interface LineageKnowledge {
  readonly catalog: LineageCatalog;
  readonly searchPath: SearchPath;
  /** Of a function's body: its parameters and variables. */
  readonly scope?: LineageScope | undefined;
  /** What `$1` and so on stand for; a client's values are its own. */
  readonly parameters?: readonly Flow[];
  readonly codeFlow: (code: CatalogCode, searchPath: SearchPath) => CodeFlow;
  /** The body of DO. */
  readonly blockFlow: (language: string, body: string, searchPath: SearchPath) => CodeFlow;
  readonly functions: FunctionConduct;
  /** The columns of a view by its definition; `outer` adopts what it touches. */
  readonly viewShape: (relation: CatalogRelation, outer: LineageWalk) => Shape;
  /** The rows of RETURNING; undefined for a statement that is no write. */
  readonly writeShape: (node: Node, walk: LineageWalk, outer: LineageScope | undefined) => Shape | undefined;
}

/** A recursive query that has not settled after this many rounds is not understood. */
const maxRounds = 50;
/** Rounds of recursive queries inside each other multiply: a text must not be able to hang the proxy. */
const maxVisits = 50_000;

export class LineageWalk {
  readonly knowledge: LineageKnowledge;
  inferred: Flow = noFlow;
  readonly sinks: Sink[] = [];
  readonly relations = new Set<number>();
  opaque = false;
  unbound = false;
  triggers = false;
  rules = false;
  /** What calls of the application's own code give back: the planner may evaluate them, and a plan shows it. */
  computed: Flow = noFlow;
  /** set_config() runs, of whatever setting. */
  configures = false;
  #visited = 0;

  constructor(knowledge: LineageKnowledge) {
    this.knowledge = knowledge;
  }

  /** @param given the arguments of a call: what `argument(n)` in what `inner` found stands for */
  adopt(inner: LineageWalk, given?: readonly Flow[]): void {
    this.infer(inserted(inner.inferred, given));
    for (const sink of inner.sinks) this.sinks.push({ ...sink, flow: inserted(sink.flow, given) });
    for (const oid of inner.relations) this.relations.add(oid);
    this.opaque ||= inner.opaque;
    this.unbound ||= inner.unbound;
    this.triggers ||= inner.triggers;
    this.configures ||= inner.configures;
    this.computed = union([this.computed, inserted(inner.computed, given)]);
  }

  /** The rows that a call gives back. */
  call(code: CatalogCode, given: readonly Flow[]): Shape {
    const { walk, rows } = this.knowledge.codeFlow(code, this.knowledge.searchPath);
    this.adopt(walk, given);
    this.computed = union([this.computed, inserted(rows.all, given)]);
    return {
      columns: rows.columns?.map((column) => ({ ...column, flow: inserted(column.flow, given), direct: false })),
      all: inserted(rows.all, given),
    };
  }

  infer(flow: Flow): void {
    this.inferred = union([this.inferred, flow]);
  }

  /** The rows of anything that stands where a query may: SELECT, VALUES, or a statement with RETURNING. */
  query(node: Node | undefined, outer: LineageScope | undefined = this.knowledge.scope): Shape {
    const select = as(node, 'SelectStmt');
    if (select !== undefined) return this.select(select, outer);
    if (++this.#visited > maxVisits) throw new RangeError('the statement takes too long to understand');
    return (node && this.knowledge.writeShape(node, this, outer)) ?? this.#notUnderstood();
  }

  select(select: SelectStmt, outer: LineageScope | undefined = this.knowledge.scope): Shape {
    const scope = new LineageScope(outer);
    this.with(select.withClause, scope);
    let shape: Shape;
    if (select.op !== undefined && select.op !== 'SETOP_NONE') {
      const left = select.larg ? this.select(select.larg, scope) : this.#notUnderstood();
      const right = select.rarg ? this.select(select.rarg, scope) : this.#notUnderstood();
      shape = overlay(left, right);
      scope.add({ parts: [shape], aliases: new Map() });
    } else if (select.valuesLists !== undefined) {
      shape = this.#values(select.valuesLists, scope);
    } else {
      for (const item of select.fromClause ?? []) scope.add(this.fromItem(item, scope));
      shape = this.targetList(select.targetList ?? [], scope);
    }
    if (select.intoClause !== undefined) this.sinks.push({ flow: shape.all, into: undefined });
    for (const part of [
      select.whereClause,
      select.havingClause,
      select.limitCount,
      select.limitOffset,
      ...(select.groupClause ?? []),
      ...(select.windowClause ?? []),
      ...(select.sortClause ?? []),
      ...(select.distinctClause ?? []),
    ]) {
      this.infer(this.flow(part, scope));
    }
    return shape;
  }

  /** Binds WITH queries. With RECURSIVE each may name any of them: rounds from "nothing flows" until nothing changes. */
  with(clause: WithClause | undefined, scope: LineageScope): void {
    const ctes = (clause?.ctes ?? []).flatMap((node) => as(node, 'CommonTableExpr') ?? []);
    if (clause?.recursive !== true) {
      for (const cte of ctes) scope.setCte(cte.ctename ?? '', this.#cte(cte, scope));
      return;
    }
    for (const cte of ctes) scope.setCte(cte.ctename ?? '', openShape(noFlow));
    for (let round = 0, changed = true; changed; round++) {
      changed = false;
      for (const cte of ctes) {
        const name = cte.ctename ?? '';
        const shape = round < maxRounds ? this.#cte(cte, scope) : unknownShape;
        const before = scope.cte(name);
        if (before === undefined || !sameShape(before, shape)) {
          scope.setCte(name, shape);
          changed = round < maxRounds;
        }
      }
    }
  }

  #cte(cte: CommonTableExpr, scope: LineageScope): Shape {
    const shape = renamed(this.query(cte.ctequery, scope), names(cte.aliascolnames));
    // SEARCH and CYCLE append columns made of the others.
    return cte.search_clause || cte.cycle_clause ? openShape(shape.all) : shape;
  }

  #values(lists: readonly Node[], scope: LineageScope): Shape {
    const rows = lists.map((node) => {
      const items = as(node, 'List')?.items ?? [];
      return shapeOf(items.map((item, at) => ({ ...this.value(item, scope), name: `column${at + 1}` })));
    });
    return rows.reduce((before, row) => overlay(before, row), rows[0] ?? emptyShape);
  }

  targetList(list: readonly Node[], scope: LineageScope): Shape {
    return concat(
      list.map((node) => {
        const target = as(node, 'ResTarget');
        if (target?.val === undefined) return this.#notUnderstood();
        const star = this.#star(target.val, scope);
        if (star !== undefined) return star;
        const column = this.value(target.val, scope);
        return shapeOf([{ ...column, name: target.name ?? column.name }]);
      }),
    );
  }

  /** `*`, `t.*`, `(t).*`; undefined when it is something else. */
  #star(node: Node, scope: LineageScope): Shape | undefined {
    const fields = as(node, 'ColumnRef')?.fields;
    if (fields !== undefined && as(fields.at(-1), 'A_Star') !== undefined) {
      if (fields.length === 1) return concat(scope.parts);
      return scope.alias(names(fields).at(-1) ?? '') ?? this.#notUnderstood();
    }
    const indirection = as(node, 'A_Indirection');
    if (indirection === undefined || as(indirection.indirection?.at(-1), 'A_Star') === undefined) return undefined;
    const row = indirection.indirection?.length === 1 ? this.#wholeRow(indirection.arg, scope) : undefined;
    return row ?? openShape(this.flow(indirection.arg, scope));
  }

  /** The row that a name alone stands for; undefined when it is not one, or a column of that name hides it. */
  #wholeRow(node: Node | undefined, scope: LineageScope): Shape | undefined {
    const path = names(as(node, 'ColumnRef')?.fields);
    const row = path.length === 1 ? scope.alias(path[0] ?? '') : undefined;
    if (row === undefined) return undefined;
    const column = scope.column(path[0] ?? '');
    return column.direct ? undefined : row;
  }

  fromItem(node: Node, scope: LineageScope): FromItem {
    const range = as(node, 'RangeVar');
    if (range !== undefined) return this.#named(range, this.relationShape(range, scope));
    const sub = as(node, 'RangeSubselect');
    if (sub !== undefined) {
      const shape = this.query(sub.subquery, sub.lateral ? scope : scope.withoutParts());
      return item(sub.alias?.aliasname, renamed(shape, names(sub.alias?.colnames)));
    }
    const call = as(node, 'RangeFunction');
    if (call !== undefined) return this.#functionItem(call, scope);
    const join = as(node, 'JoinExpr');
    if (join !== undefined) return this.#join(join, scope);
    const sample = as(node, 'RangeTableSample');
    if (sample?.relation !== undefined) {
      for (const part of [...(sample.args ?? []), sample.repeatable]) this.infer(this.flow(part, scope));
      return this.fromItem(sample.relation, scope);
    }
    // XMLTABLE, JSON_TABLE: columns are made of the expressions in them.
    const table = as(node, 'RangeTableFunc') ?? (node as { JsonTable?: { alias?: { aliasname?: string } } }).JsonTable;
    return item(table?.alias?.aliasname, openShape(table === undefined ? anyFlow : this.#below(node, scope)));
  }

  #named(range: RangeVar, shape: Shape): FromItem {
    return item(range.alias?.aliasname ?? range.relname, renamed(shape, names(range.alias?.colnames)));
  }

  relationShape(range: RangeVar, scope: LineageScope): Shape {
    const name = range.relname ?? '';
    const cte = range.schemaname === undefined ? scope.cte(name) : undefined;
    if (cte !== undefined) return cte;
    return this.tableShape(range);
  }

  tableShape(range: RangeVar): Shape {
    const relation = this.relation(range);
    return relation === undefined ? this.#notUnderstood() : this.#columnsOf(relation);
  }

  relation(range: RangeVar): CatalogRelation | undefined {
    const { catalog, searchPath } = this.knowledge;
    const relation = catalog.current ? catalog.find(range.schemaname, range.relname ?? '', searchPath) : undefined;
    if (relation === undefined) this.unbound = true;
    else this.#note(relation);
    return relation;
  }

  #note(relation: CatalogRelation): void {
    this.relations.add(relation.oid);
    for (const oid of relation.children) {
      const child = this.knowledge.catalog.byOid(oid);
      if (child !== undefined && !this.relations.has(oid)) this.#note(child);
    }
  }

  #columnsOf(relation: CatalogRelation): Shape {
    const reveals = revealsValues(relation.schema, relation.name);
    if (reveals) this.opaque = true;
    const inner = relation.definition === undefined ? undefined : this.knowledge.viewShape(relation, this);
    const known = inner?.columns?.length === relation.columns.length ? inner.columns : undefined;
    return shapeOf(
      relation.columns.map(({ name, number }, at): Column => {
        const own = reveals ? anyFlow : this.#columnFlow(relation, name, number);
        if (inner === undefined) return { name, flow: own, direct: !reveals };
        const column = known?.[at] ?? { flow: inner.columns === undefined ? inner.all : anyFlow, direct: false };
        return { name, flow: union([own, column.flow]), direct: column.direct };
      }),
    );
  }

  /** A parent's column is also the children's of that name. */
  #columnFlow(relation: CatalogRelation, name: string, number: number): Flow {
    const flow = new Set([baseColumn(relation.oid, number)]);
    const visit = (parent: CatalogRelation): void => {
      for (const oid of parent.children) {
        const child = this.knowledge.catalog.byOid(oid);
        const column = child?.columns.find((one) => one.name === name);
        if (child === undefined || column === undefined) flow.add(anyColumn);
        else {
          flow.add(baseColumn(oid, column.number));
          visit(child);
        }
      }
    };
    visit(relation);
    return flow;
  }

  #functionItem(range: RangeFunction, scope: LineageScope): FromItem {
    const alias = range.alias?.aliasname;
    const first = as(range.functions?.[0], 'List')?.items?.[0];
    const call = as(first, 'FuncCall');
    const path = names(call?.funcname);
    const name = path.at(-1) ?? '';
    const own = path.length === 1 || path[0] === 'pg_catalog';
    const single = range.functions?.length === 1 && range.is_rowsfrom !== true && range.coldeflist === undefined;
    const known =
      single && own && !(name === 'unnest' && call?.args?.length !== 1) ? tableFunctions.get(name) : undefined;
    if (single && known === undefined && first !== undefined && call !== undefined) {
      const rows = this.callShape(first, scope);
      const columns =
        rows.columns?.length === 1 && alias ? rows.columns.map((one) => ({ ...one, name: alias })) : rows.columns;
      const shape = columns === undefined || range.ordinality ? openShape(rows.all) : shapeOf(columns);
      return item(alias ?? name, renamed(shape, names(range.alias?.colnames)));
    }
    const flow = this.#below(range.functions, scope);
    if (known === undefined) return item(alias ?? (name || undefined), openShape(flow));
    const columns = known.map((column) => ({ name: column ?? alias ?? name, flow, direct: false }));
    if (range.ordinality) columns.push({ name: 'ordinality', flow: noFlow, direct: false });
    return item(alias ?? name, renamed(shapeOf(columns), names(range.alias?.colnames)));
  }

  #join(join: JoinExpr, scope: LineageScope): FromItem {
    // The right side may be LATERAL and see the left one.
    const left = join.larg ? this.fromItem(join.larg, scope) : item(undefined, this.#notUnderstood());
    const inner = scope.copy();
    inner.add(left);
    const right = join.rarg ? this.fromItem(join.rarg, inner) : item(undefined, this.#notUnderstood());
    inner.add(right);
    this.infer(this.flow(join.quals, inner));
    const using = names(join.usingClause);
    const merges = join.isNatural === true || using.length > 0;
    const parts = merges
      ? [joinUsing(left.parts, right.parts, join.isNatural === true ? undefined : using)]
      : [...left.parts, ...right.parts];
    if (merges) for (const name of using) this.infer(inner.column(name).flow);
    if (join.alias?.aliasname !== undefined) {
      return item(join.alias.aliasname, renamed(concat(parts), names(join.alias.colnames)));
    }
    const aliases = new Map([...left.aliases, ...right.aliases]);
    for (const [alias, shape] of left.aliases) {
      const other = right.aliases.get(alias);
      if (other !== undefined) aliases.set(alias, openShape(union([shape.all, other.all])));
    }
    const usingAlias = join.join_using_alias?.aliasname;
    if (usingAlias !== undefined) aliases.set(usingAlias, openShape(union(parts.map((part) => part.all))));
    return { parts, aliases };
  }

  /** One value as a column: named as PostgreSQL names it, where its rule is simple. */
  value(node: Node | undefined, scope: LineageScope): Column {
    const reference = as(node, 'ColumnRef');
    if (reference !== undefined) return this.#reference(reference.fields ?? [], scope);
    const link = as(node, 'SubLink');
    if (link?.subLinkType === 'EXPR_SUBLINK') {
      const rows = this.query(link.subselect, scope);
      const single = rows.columns?.length === 1 ? rows.columns[0] : undefined;
      return single ?? { name: undefined, flow: rows.all, direct: false };
    }
    const call = as(node, 'FuncCall');
    const field = this.#rowField(node, scope);
    const flow = this.flow(node, scope);
    return field ?? { name: names(call?.funcname).at(-1), flow, direct: false };
  }

  #reference(fields: readonly Node[], scope: LineageScope): Column {
    const path = names(fields);
    const last = path.at(-1) ?? '';
    if (as(fields.at(-1), 'A_Star') !== undefined) {
      const row = fields.length === 1 ? concat(scope.parts) : scope.alias(last);
      return { name: undefined, flow: (row ?? this.#notUnderstood()).all, direct: false };
    }
    const column = path.length === 1 ? scope.column(last) : undefined;
    const row = column === undefined ? scope.alias(path.at(-2) ?? '') : undefined;
    const found = column ?? (row === undefined ? { name: last, flow: anyFlow, direct: false } : this.#field(row, last));
    if (found.flow.has(anyColumn)) this.opaque = true;
    return found;
  }

  /** `(t).column` */
  #rowField(node: Node | undefined, scope: LineageScope): Column | undefined {
    const indirection = as(node, 'A_Indirection');
    const path = names(indirection?.indirection);
    if (indirection === undefined || path.length !== 1 || indirection.indirection?.length !== 1) return undefined;
    const row = this.#wholeRow(indirection.arg, scope);
    return row === undefined ? undefined : this.#field(row, path[0] ?? '');
  }

  /** What may have a part in the value of an expression. */
  flow(node: Node | undefined, scope: LineageScope): Flow {
    if (node === undefined) return noFlow;
    if (++this.#visited > maxVisits) throw new RangeError('the statement takes too long to understand');
    switch (tagOf(node)) {
      case 'ColumnRef':
        return this.#reference(as(node, 'ColumnRef')?.fields ?? [], scope).flow;
      case 'SelectStmt':
        return this.query(node, scope).all;
      case 'SubLink':
        return this.#subLink(node, scope);
      case 'FuncCall':
        return this.callShape(node, scope).all;
      case 'ParamRef':
        return this.knowledge.parameters?.[(as(node, 'ParamRef')?.number ?? 0) - 1] ?? noFlow;
      case 'A_Expr':
        return this.#operated(this.#below(node, scope), 'operator', names(as(node, 'A_Expr')?.name));
      case 'TypeCast':
        return this.#operated(this.#below(node, scope), 'cast', names(as(node, 'TypeCast')?.typeName?.names));
      case 'NullTest':
        this.infer(this.#below(node, scope));
        return noFlow;
      case 'A_Indirection': {
        const field = this.#rowField(node, scope);
        if (field === undefined) return this.#selected(node, scope);
        if (field.flow.has(anyColumn)) this.opaque = true;
        return field.flow;
      }
      default:
        return this.#below(node, scope);
    }
  }

  /** `row.name`, which may also be a call of a function of that name. */
  #field(row: Shape, name: string): Column {
    const field = fieldOf(row, name);
    if (!field.flow.has(anyColumn) || row.all.has(anyColumn)) return field;
    return { name, flow: this.#attribute(name, row.all), direct: false };
  }

  /** `name` of a value as a function of it. */
  #attribute(name: string, value: Flow): Flow {
    const { catalog, searchPath, functions } = this.knowledge;
    const own = catalog.functions(undefined, name, searchPath);
    if (own === undefined) return union([value, anyFlow]);
    const calls = own.map((code) => this.call(code, [value]).all);
    if (catalog.isBuiltIn(name)) calls.push(this.#builtIn(functions.of('pg_catalog', name), value));
    return union([value, ...calls]);
  }

  /** `(expression).name` */
  #selected(node: Node, scope: LineageScope): Flow {
    const indirection = as(node, 'A_Indirection');
    const below = this.#below(node, scope);
    const [step, ...more] = names(indirection?.indirection);
    if (step === undefined) return below;
    const call = indirection?.arg;
    const rows = more.length === 0 && call && as(call, 'FuncCall') ? this.callShape(call, scope) : undefined;
    const column = rows?.columns?.find((one) => one.name === step);
    if (column !== undefined && (rows?.columns?.length ?? 0) > 1) return column.flow;
    return union([below, ...[step, ...more].map((name) => this.#attribute(name, below))]);
  }

  #subLink(node: Node, scope: LineageScope): Flow {
    const link = as(node, 'SubLink');
    const rows = this.query(link?.subselect, scope).all;
    if (link?.subLinkType === 'EXISTS_SUBLINK') {
      this.infer(rows);
      return noFlow;
    }
    return union([rows, this.flow(link?.testexpr, scope)]);
  }

  /** The rows that a call gives back: of what PostgreSQL has by that name, and of what the application has. */
  callShape(node: Node, scope: LineageScope): Shape {
    const call = as(node, 'FuncCall');
    const path = names(call?.funcname);
    const name = path.at(-1) ?? '';
    const schema = path.length > 1 ? path.at(-2) : undefined;
    const given = (call?.args ?? []).map((one) => this.flow(one, scope));
    const carried = union([...given, ...(call?.agg_order ?? []).map((one) => this.flow(one, scope))]);
    this.configures ||= name === 'set_config';
    this.infer(this.flow(call?.agg_filter, scope));
    this.infer(this.#below(call?.over, scope));
    const { catalog, searchPath, functions } = this.knowledge;
    const own = schema === 'pg_catalog' ? [] : catalog.functions(schema, name, searchPath);
    if (own === undefined) return this.#unknownCall(carried);
    const conduct = functions.of(schema, name);
    const isNamed = call?.func_variadic === true || call?.args?.some((one) => as(one, 'NamedArgExpr') !== undefined);
    const rows = own.map((code) => {
      if (code.extension && conduct !== 'missing') return openShape(this.#builtIn(conduct, carried));
      return this.call(code, isNamed ? code.inputs.map(() => carried) : given);
    });
    const mayBeBuiltIn = schema === undefined || schema === 'pg_catalog' ? catalog.isBuiltIn(name) : false;
    if (mayBeBuiltIn) rows.push(openShape(this.#builtIn(conduct === 'missing' ? 'opaque' : conduct, carried)));
    else if (own.length === 0) rows.push(openShape(this.#builtIn(conduct, carried)));
    const cast = this.#cast(carried);
    const [only, ...more] = rows;
    if (only !== undefined && more.length === 0 && cast.size === 0) return only;
    return openShape(union([...rows.map((one) => one.all), cast]));
  }

  #unknownCall(carried: Flow): Shape {
    this.opaque = true;
    return openShape(union([carried, anyFlow]));
  }

  #builtIn(conduct: Conduct, carried: Flow): Flow {
    if (conduct === 'hides') {
      this.infer(carried);
      return noFlow;
    }
    if (conduct === 'carries') return carried;
    if (conduct === 'missing') return union([carried, new Set([missingCode])]);
    if (conduct !== 'opaque' && carried.size > 0) this.sinks.push({ flow: carried, into: undefined });
    if (conduct === 'exports') return carried;
    this.opaque = true;
    return union([carried, anyFlow]);
  }

  /** An implicit cast of the application's own may stand between any of the values and the code. */
  #cast(operands: Flow): Flow {
    return this.#behind('cast', '', operands);
  }

  #behind(kind: OwnCode, name: string, operands: Flow): Flow {
    const own = this.knowledge.catalog.behind(kind, name);
    if (own === undefined) {
      this.opaque = true;
      return union([operands, anyFlow]);
    }
    return own.length === 0
      ? noFlow
      : union(
          own.map(
            (code) =>
              this.call(
                code,
                code.inputs.map(() => operands),
              ).all,
          ),
        );
  }

  #operated(operands: Flow, kind: OwnCode, path: readonly string[]): Flow {
    const own = path.at(-2) === 'pg_catalog' ? noFlow : this.#behind(kind, path.at(-1) ?? '', operands);
    return union([operands, own, this.#cast(operands)]);
  }

  #below(struct: unknown, scope: LineageScope): Flow {
    const flows: Flow[] = [];
    const inner = typeof struct === 'object' && struct !== null ? struct : undefined;
    eachChild(inner, (child) => {
      // A node of which `struct` is made: eachChild hands back what is directly below.
      flows.push(this.flow(child, scope));
    });
    return union(flows);
  }

  #notUnderstood(): Shape {
    this.opaque = true;
    return unknownShape;
  }
}

/** `flow` with the arguments of a call in the place of what they were called in the body. */
function inserted(flow: Flow, given: readonly Flow[] | undefined): Flow {
  if (given === undefined) return flow;
  let open = false;
  for (const column of flow) if (column.startsWith('$')) open = true;
  if (!open) return flow;
  const known = [...flow].filter((column) => !column.startsWith('$'));
  const filled = [...flow]
    .filter((column) => column.startsWith('$'))
    .map((column) => given[Number(column.slice(1)) - 1]);
  // arguments that the call leaves out are defaults, which hold no column
  return union([new Set(known), ...filled.map((one) => one ?? noFlow)]);
}

function item(alias: string | undefined, shape: Shape): FromItem {
  return { parts: [shape], aliases: alias === undefined ? new Map() : new Map([[alias, shape]]) };
}
