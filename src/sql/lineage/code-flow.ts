/**
 * Code of the application's own for lineage: what a call of a function gives back, and where it puts values.
 *
 * What lives here: one CodeFlow for each function and search_path, its arguments left open. What it must not know: the
 * call, masks. A body that cannot be followed gives any column back, and may put any column anywhere.
 */

import { BuiltInFunctions } from '../catalog/builtin-functions.js';
import { dollarQuoted } from '../grammar/comments.js';
import type { Grammar } from '../grammar/grammar.js';
import { storedRows } from './calls.js';
import { anyFlow, argument, type CatalogCode, type CatalogRelation, type Flow, type SearchPath } from './catalog.js';
import { union } from './flow.js';
import { PlpgsqlFlow } from './plpgsql-flow.js';
import { LineageScope } from './scope.js';
import { type Column, openShape, renamed, type Shape, sameShape, shapeOf, unknownShape } from './shape.js';
import { bodyStatement } from './statement.js';
import { converted, fieldsOf, plain, rowOf } from './structure.js';
import type { CodeFlow, LineageWalk } from './walk.js';

/** A walk of a body, with what it can see of the call. */
export type StartWalk = (
  searchPath: SearchPath,
  scope: LineageScope | undefined,
  parameters: readonly Flow[],
) => LineageWalk;

/** Functions that call functions: PostgreSQL has its own limit far above. */
const maxDepth = 30;

/** Rounds of a function that calls itself: each passes values one call further at least. */
const maxRounds = 8;
const roundsWithForms = 3;
/** Bodies followed for one call: functions that all call each other have no end. */
const maxBodies = 300;

export class CodeFlows {
  readonly #grammar: Grammar;
  readonly #known = new Map<string, CodeFlow>();
  /** Bodies being followed now, by what is known of them so far. */
  readonly #open = new Map<string, CodeFlow>();
  /** Those of them that were called again meanwhile. */
  readonly #assumed = new Set<string>();
  #bodies = 0;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  clear(): void {
    this.#known.clear();
  }

  /**
   * @param searchPath of the caller, for a function that does not set its own
   * @param variant of the catalog that names are looked up in
   */
  of(code: CatalogCode, searchPath: SearchPath, start: StartWalk, variant = ''): CodeFlow {
    const path = code.searchPath ?? searchPath;
    const key = `${code.oid} ${path?.join('\0') ?? '?'} ${variant}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const open = this.#open.get(key);
    if (open !== undefined) {
      this.#assumed.add(key);
      return open;
    }
    if (this.#open.size === 0) this.#bodies = 0;
    if (this.#open.size >= maxDepth) return unseen(code, start(path, undefined, []));
    const flow = this.#settled(key, code, path, start);
    // what rests on a caller that is still open is not known yet
    if (this.#assumed.size === 0) this.#known.set(key, flow);
    return flow;
  }

  /** From "nothing flows", in rounds, until what the body is taken to do is what it was found to do. */
  #settled(key: string, code: CatalogCode, path: SearchPath, start: StartWalk): CodeFlow {
    let before: CodeFlow = returning(code, start(path, undefined, []), shapeOf([]));
    for (let round = 0; round < maxRounds && this.#bodies < maxBodies; round++) {
      this.#open.set(key, before);
      this.#bodies++;
      let flow: CodeFlow;
      try {
        flow = this.#follow(code, path, start);
      } finally {
        this.#open.delete(key);
      }
      if (!this.#assumed.delete(key)) return flow;
      const same = round >= roundsWithForms || sameShape(flow.rows, before.rows);
      if (same && signature(flow) === signature(before)) return flow;
      // a form that holds itself would grow for ever
      before = round < roundsWithForms - 1 ? flow : { ...flow, rows: withoutForms(flow.rows) };
    }
    return unseen(code, start(path, undefined, []));
  }

  /** The expressions that stand for arguments which a call leaves out: they are computed where the call is. */
  defaults({ oid, defaults = '' }: CatalogCode, path: SearchPath, start: StartWalk, variant = ''): CodeFlow {
    const key = `${oid} defaults ${path?.join('\0') ?? '?'} ${variant}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const walk = start(path, undefined, []);
    // a default that calls its own function has no end
    if (this.#open.has(key)) return { walk, rows: unknownShape };
    this.#open.set(key, { walk, rows: unknownShape });
    try {
      const parsed = this.#grammar.parse(`SELECT ${defaults}`);
      const rows = 'tree' in parsed ? bodyStatement(parsed.tree.stmts?.[0]?.stmt, walk) : walk.notUnderstood();
      const flow = { walk, rows };
      if (this.#assumed.size === 0) this.#known.set(key, flow);
      return flow;
    } finally {
      this.#open.delete(key);
    }
  }

  /** The body of DO. */
  block(language: string, body: string, path: SearchPath, start: StartWalk): CodeFlow {
    const source = `CREATE FUNCTION block() RETURNS void LANGUAGE plpgsql AS ${dollarQuoted(body)}`;
    return this.#follow({ ...block, language, source }, path, start);
  }

  /** A text that a function of PostgreSQL's own runs. */
  text(sql: string, path: SearchPath, start: StartWalk): { readonly walk: LineageWalk; readonly rows: Flow } {
    const walk = start(path, undefined, []);
    const parsed = this.#grammar.parse(sql);
    if ('rejection' in parsed) return { walk, rows: walk.notUnderstood().all };
    return { walk, rows: union((parsed.tree.stmts ?? []).map(({ stmt }) => bodyStatement(stmt, walk).all)) };
  }

  #follow(code: CatalogCode, path: SearchPath, start: StartWalk): CodeFlow {
    const parameters = code.inputs.map((_, at): Flow => new Set([argument(at + 1)]));
    switch (code.language) {
      case 'sql':
        return this.#sql(code, path, start, parameters);
      case 'plpgsql':
        return this.#plpgsql(code, path, start, parameters);
      case 'aggregate':
        return aggregate(code, start(path, undefined, parameters), parameters);
      case 'internal':
        return internal(code, start(path, undefined, parameters), parameters);
      default:
        // code of an extension that says it reads nothing can only compute
        if (code.extension && code.volatility === 'immutable') {
          return computed(code, start(path, undefined, []), parameters);
        }
        return unseen(code, start(path, undefined, []));
    }
  }

  #sql(code: CatalogCode, path: SearchPath, start: StartWalk, parameters: readonly Flow[]): CodeFlow {
    const parsed = this.#grammar.parse(code.source);
    const walk = start(path, parameterScope(code, parameters), parameters);
    if ('rejection' in parsed) return unseen(code, walk);
    let last: Shape = openShape(new Set());
    for (const { stmt } of parsed.tree.stmts ?? []) last = bodyStatement(stmt, walk);
    return returning(code, exporting(code, walk), storedRows(last, walk));
  }

  #plpgsql(code: CatalogCode, path: SearchPath, start: StartWalk, parameters: readonly Flow[]): CodeFlow {
    const parsed = this.#grammar.parsePlpgsql(code.source);
    if ('rejection' in parsed) return unseen(code, start(path, undefined, []));
    const variables = new Map(code.inputs.map((name, at) => [name, openShape(parameters[at] ?? anyFlow)]));
    const body = new PlpgsqlFlow(parsed.tree, this.#grammar, {
      variables,
      label: code.name,
      outputs: code.outputs,
      start: (scope, values = parameters) => start(path, scope, values),
    });
    const { walk, rows } = body.follow();
    return returning(code, exporting(code, walk), rows);
  }
}

/** The same for what does the same. */
function signature({ walk, rows }: CodeFlow): string {
  const flat = (flow: Flow): string => [...flow].sort().join();
  const sinks = new Set(walk.sinks.map(({ flow, into, through }) => `${flat(flow)} > ${into} ${through}`));
  const { inferred, computed, opaque, unbound, triggers, configures, relations } = walk;
  return JSON.stringify([
    rows.columns?.map(({ name, flow }) => [name, flat(flow)]),
    flat(rows.all),
    [...sinks].sort(),
    [inferred, computed].map(flat),
    [opaque, unbound, triggers, configures, relations.size],
  ]);
}

const block: Omit<CatalogCode, 'language' | 'source'> = {
  oid: 0,
  schema: 'pg_catalog',
  name: 'DO',
  inputs: [],
  outputs: [],
  returnsRowOf: undefined,
  returnsRecord: false,
  volatility: 'volatile',
  searchPath: undefined,
  supports: [],
  extension: false,
};

/** Whatever it does: nothing of it can be seen. An extension's code does not write the application's values elsewhere. */
function unseen(code: CatalogCode, walk: LineageWalk): CodeFlow {
  walk.opaque = true;
  return { walk: code.extension ? walk : exporting(code, walk), rows: unknownShape };
}

/** A volatile body with parts that cannot be seen may write there what it likes. */
function exporting(code: CatalogCode, walk: LineageWalk): LineageWalk {
  if (walk.opaque && code.volatility === 'volatile') {
    walk.sinks.push({ flow: anyFlow, into: undefined, through: `${code.schema}.${code.name}` });
  }
  return walk;
}

/** The values that the last statement of a body gives back, as the function declares them. */
function result(code: CatalogCode, rows: Shape, walk: LineageWalk): Shape {
  if (code.outputs.length > 0) {
    return rows.columns?.length === code.outputs.length
      ? asRow(renamed(rows, code.outputs))
      : shapeOf(code.outputs.map((name): Column => ({ name, flow: rows.all, direct: false })));
  }
  if (code.returnsRecord) return rows;
  if (code.returnsRowOf !== undefined) return rowsOf(walk.knowledge.catalog.byOid(code.returnsRowOf), rows);
  const only = rows.columns?.length === 1 ? rows.columns[0] : undefined;
  return shapeOf([{ ...(only ?? plain(rows.all)), name: code.name, direct: false }]);
}

/** Several columns are one value where the call stands in an expression. */
function asRow(rows: Shape): Shape {
  const fields = (rows.columns ?? []).map((one) => ({ ...converted(one), name: one.name }));
  return { ...rows, whole: fields.length > 1 ? rowOf(fields) : undefined };
}

function withoutForms({ columns, all }: Shape): Shape {
  return { columns: columns?.map(({ name, flow }) => ({ name, flow, direct: false })), all };
}

/** Rows of a relation, column by column or each as one value. */
function rowsOf(relation: CatalogRelation | undefined, rows: Shape): Shape {
  const [only, ...more] = rows.columns ?? [];
  const fields = only && more.length === 0 ? (fieldsOf(only) ?? rows.columns) : rows.columns;
  if (relation === undefined || fields?.length !== relation.columns.length) return openShape(rows.all);
  return asRow(shapeOf(fields.map((one, at): Column => ({ ...one, name: relation.columns[at]?.name, direct: false }))));
}

/** In a body in SQL parameters are known by name, by `function.name` and by position. */
function parameterScope(code: CatalogCode, parameters: readonly Flow[]): LineageScope {
  const columns = code.inputs.flatMap((name, at): Column[] =>
    name === '' ? [] : [{ name, flow: parameters[at] ?? anyFlow, direct: false }],
  );
  const scope = new LineageScope();
  const aliases = new Map(columns.map(({ name, flow }) => [name ?? '', openShape(flow)]));
  scope.add({ parts: [shapeOf(columns)], aliases: aliases.set(code.name, shapeOf(columns)) });
  return scope;
}

function returning(code: CatalogCode, walk: LineageWalk, rows: Shape): CodeFlow {
  return { walk, rows: result(code, rows, walk) };
}

/** What it gives back is made of these alone. */
function computed(code: CatalogCode, walk: LineageWalk, flows: readonly Flow[]): CodeFlow {
  return returning(code, walk, openShape(union(flows)));
}

function aggregate(code: CatalogCode, walk: LineageWalk, parameters: readonly Flow[]): CodeFlow {
  const flows = [union(parameters)];
  for (const oid of code.supports) {
    const support = walk.knowledge.catalog.codeByOid(oid);
    // a support function of PostgreSQL's own computes
    if (support === undefined) continue;
    flows.push(walk.call(support, parameters.map(plain)).all);
  }
  return computed(code, walk, flows);
}

const builtIns = new BuiltInFunctions();

/** LANGUAGE internal: another name for a function of PostgreSQL's own. */
function internal(code: CatalogCode, walk: LineageWalk, parameters: readonly Flow[]): CodeFlow {
  if (builtIns.find('pg_catalog', code.source.trim())?.effect !== 'none') return unseen(code, walk);
  return computed(code, walk, parameters);
}
