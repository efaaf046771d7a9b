/**
 * What the database itself makes of its columns: generated columns, defaults, and what triggers and rules write when a row changes.
 *
 * What lives here: from which columns each such column is made, by the catalog alone, with nothing to configure. What it
 * must not know: masks. A trigger that cannot be followed may fill whatever relation its body names.
 */
import type { Grammar } from '../grammar/grammar.js';
import { as } from '../grammar/tree.js';
import {
  anyFlow,
  type BaseColumn,
  baseColumn,
  type CatalogCode,
  type CatalogColumn,
  type CatalogRelation,
  type Flow,
  type LineageCatalog,
  noFlow,
  type TriggerCall,
} from './catalog.js';
import type { StartWalk } from './code-flow.js';
import { PlpgsqlFlow } from './plpgsql-flow.js';
import { LineageScope } from './scope.js';
import { openShape, type Shape, shapeOf, unknownShape } from './shape.js';
import { bodyStatement } from './statement.js';
import { plain, type Value } from './structure.js';
import type { LineageWalk } from './walk.js';

export interface Derived {
  readonly into: BaseColumn;
  readonly flow: Flow;
  /** What it is made of, where that is known. */
  readonly value?: Value | undefined;
  /** What makes it, for people: `trigger function public.audit on public.people`. */
  readonly by: string;
}

export interface DerivedColumns {
  readonly columns: readonly Derived[];
  /** By pg_class.oid: columns that triggers may put other values into before a row is stored; undefined: into any. */
  readonly rewritten: ReadonlyMap<number, ReadonlySet<number> | undefined>;
  /** Values that leave whenever a row is written: notifications, settings, files. */
  readonly exported: readonly { readonly flow: Flow; readonly by: string }[];
  /** Triggers and rules that cannot be followed. */
  readonly unseen: readonly string[];
  /** Where such code runs, by name; an event trigger runs on no relation. */
  readonly unseenCode: readonly { readonly relation: string | undefined; readonly functions: readonly string[] }[];
}

export const nothingDerived: DerivedColumns = {
  columns: [],
  rewritten: new Map(),
  exported: [],
  unseen: [],
  unseenCode: [],
};

export function derivedColumns(catalog: LineageCatalog, grammar: Grammar, start: StartWalk): DerivedColumns {
  const columns: Derived[] = [];
  const rewritten = new Map<number, ReadonlySet<number> | undefined>();
  const exported: { flow: Flow; by: string }[] = [];
  const unseen: string[] = [];
  const unseenCode: { relation: string | undefined; functions: readonly string[] }[] = [];
  for (const relation of catalog.relations()) {
    computed(relation);
    for (const call of relation.triggerCalls ?? []) triggered(relation, call);
    for (const text of relation.ruleTexts ?? []) ruled(relation, text);
    for (const oid of relation.behind ?? []) passedBy(relation, catalog.codeByOid(oid));
  }
  for (const code of catalog.behind('made', 'event') ?? []) {
    followed(code, `event trigger function ${code.schema}.${code.name}`, undefined);
  }
  return { columns, rewritten, exported, unseen, unseenCode };

  function computed(relation: CatalogRelation): void {
    for (const { generated, byDefault, name, number } of relation.columns) {
      const expression = generated ?? byDefault;
      if (expression === undefined) continue;
      const scope = new LineageScope();
      const row = rowOf(relation);
      scope.add({ parts: [row], aliases: new Map([[relation.name, row]]) });
      const walk = start(generated === undefined ? undefined : [], scope, []);
      const parsed = grammar.parse(`SELECT ${expression}`);
      const rows = 'tree' in parsed ? bodyStatement(parsed.tree.stmts?.[0]?.stmt, walk) : unknownShape;
      const [value] = rows.columns ?? [];
      const by = generated === undefined ? 'the default of' : 'generated column';
      columns.push({
        into: baseColumn(relation.oid, number),
        flow: rows.all,
        value,
        by: `${by} ${named(relation)}.${name}`,
      });
      collect(walk, `${by} ${named(relation)}.${name}`);
    }
  }

  function triggered(relation: CatalogRelation, call: TriggerCall): void {
    const { function: oid } = call;
    const code = catalog.codeByOid(oid);
    // PostgreSQL's own trigger functions, such as tsvector_update_trigger, put columns of the row into others of it
    const by = `trigger function ${code === undefined ? oid : `${code.schema}.${code.name}`} on ${named(relation)}`;
    if (code === undefined) {
      const found = textSearchTriggers.has(oid) ? relation.columns.filter(({ name }) => name === call.given?.[0]) : [];
      const into = found.length === 0 ? relation.columns : found;
      if (!ownTriggers.has(oid)) for (const { number } of into) add(relation, number, rowOf(relation).all, by);
      putsInto(relation, call, found.length === 0 ? undefined : found);
      return;
    }
    followed(code, by, relation, call);
  }

  /** @param relation whose row it runs for; undefined of an event trigger */
  function followed(
    code: CatalogCode,
    by: string,
    relation: CatalogRelation | undefined,
    call: Partial<TriggerCall> = {},
  ): void {
    const { given = [], transitionTables = [] } = call;
    const parsed = code.language === 'plpgsql' ? grammar.parsePlpgsql(code.source) : undefined;
    if (parsed === undefined || 'rejection' in parsed) {
      if (!code.extension) lost([code.source, ...given], by, relation, code);
      putsInto(relation, call, undefined);
      return;
    }
    const row = relation === undefined ? openShape(noFlow) : rowOf(relation);
    const { walk, fields, keepsRow } = new PlpgsqlFlow(parsed.tree, grammar, {
      variables: new Map([
        ...triggerFacts.map((name) => [name, openShape(noFlow)] as const),
        ['new', row],
        ['old', row],
      ]),
      label: code.name,
      outputs: [],
      start: (scope, values = []) => {
        for (const name of transitionTables) scope.setCte(name, row);
        return start(code.searchPath, scope, values);
      },
    }).follow();
    const assigned = (relation?.columns ?? []).filter(({ name }) => fields.has(`new.${name}`));
    for (const { name, number } of assigned) {
      if (relation !== undefined) add(relation, number, fields.get(`new.${name}`)?.flow ?? anyFlow, by);
    }
    putsInto(relation, call, keepsRow ? assigned : undefined);
    collect(walk, by);
    if (walk.opaque) lost([code.source, ...given], by, relation, code, walk);
  }

  /** @param into undefined: any column of it */
  function putsInto(
    relation: CatalogRelation | undefined,
    { rewrites = false }: Partial<TriggerCall>,
    into: readonly CatalogColumn[] | undefined,
  ): void {
    if (relation === undefined || !rewrites) return;
    const before = rewritten.has(relation.oid) ? rewritten.get(relation.oid) : [];
    const both = before && into && [...before, ...into.map(({ number }) => number)];
    rewritten.set(relation.oid, both && new Set(both));
  }

  /** Functions of policies, checks and indices: with what arguments is not followed, so with any of the row. */
  function passedBy(relation: CatalogRelation, code: CatalogCode | undefined): void {
    if (code === undefined || code.extension) return;
    const by = `function ${code.schema}.${code.name} behind ${named(relation)}`;
    const walk = start(undefined, new LineageScope(), []);
    walk.call(
      code,
      code.inputs.map(() => plain(rowOf(relation).all)),
    );
    collect(walk, by);
    if (walk.opaque) lost([code.source], by, relation, code, walk);
  }

  function ruled(relation: CatalogRelation, text: string): void {
    const by = `a rule on ${named(relation)}`;
    const parsed = grammar.parse(text);
    const rule = 'tree' in parsed ? as(parsed.tree.stmts?.[0]?.stmt, 'RuleStmt') : undefined;
    if (rule === undefined) {
      unseen.push(by);
      return;
    }
    const scope = new LineageScope();
    const row = rowOf(relation);
    scope.add({
      parts: [],
      aliases: new Map([
        ['new', row],
        ['old', row],
      ]),
    });
    const walk = start([], scope, []);
    for (const action of rule.actions ?? []) bodyStatement(action, walk);
    collect(walk, by);
    if (walk.opaque) lost([text], by, relation, undefined, walk);
  }

  function collect(walk: LineageWalk, by: string): void {
    for (const { flow, into, value } of walk.sinks) {
      if (into !== undefined) columns.push({ into, flow, value, by });
      else if (flow.size > 0) exported.push({ flow, by });
    }
  }

  /** Every relation that the texts name, but for those that they only read, may hold any column. */
  function lost(
    texts: readonly string[],
    by: string,
    relation: CatalogRelation | undefined,
    code: CatalogCode | undefined,
    walk?: LineageWalk,
  ): void {
    const called = (walk?.sinks ?? []).flatMap(({ through }) => through ?? []);
    const functions = called.flatMap((one) => {
      const [schema, name = ''] = one.split(/\.(.*)/s);
      return catalog.functions(schema, name, []) ?? [];
    });
    unseen.push(by);
    unseenCode.push({ relation: relation?.name, functions: [code, ...functions].flatMap((one) => one?.name ?? []) });
    const words = writtenWords([...texts, ...functions.map(({ source }) => source)].join('\n'));
    for (const other of catalog.relations()) {
      if (other.definition !== undefined || !words.has(other.name.toLowerCase())) continue;
      for (const { number } of other.columns) add(other, number, anyFlow, by);
    }
  }

  function add(relation: CatalogRelation, number: number, flow: Flow, by: string): void {
    columns.push({ into: baseColumn(relation.oid, number), flow, by });
  }
}

/** Variables of a trigger function that say why it runs ("Trigger Functions" in the manual): no values of rows. */
const triggerFacts = [
  ...['tg_name', 'tg_when', 'tg_level', 'tg_op', 'tg_relid', 'tg_relname', 'tg_table_name', 'tg_table_schema'],
  ...['tg_nargs', 'tg_argv'],
];

/** pg_proc.oid of trigger functions that write the row back as it is: suppress_redundant_updates_trigger. */
const ownTriggers: ReadonlySet<number> = new Set([1291]);

/** Those that fill the column which their first argument names: tsvector_update_trigger and its kin. */
const textSearchTriggers: ReadonlySet<number> = new Set([3752, 3753]);

/** The words of a text, in constants too, that do not stand where only what is read can stand. */
function writtenWords(text: string): ReadonlySet<string> {
  const word =
    /(?:\b(from|join|using|only)\s+)?((?:"[^"]+"|[\p{L}_][\p{L}\p{N}_$]*)(?:\s*\.\s*(?:"[^"]+"|[\p{L}_][\p{L}\p{N}_$]*))*)/giu;
  const found = new Set<string>();
  for (const [, reads, path] of text.matchAll(word)) {
    // DELETE FROM takes away, and shows nothing
    if (reads === undefined)
      for (const part of (path ?? '').split('.')) found.add(part.trim().replaceAll('"', '').toLowerCase());
  }
  return found;
}

function rowOf(relation: CatalogRelation): Shape {
  return shapeOf(
    relation.columns.map(({ name, number }) => ({
      name,
      flow: new Set([baseColumn(relation.oid, number)]),
      direct: true,
    })),
  );
}

function named({ schema, name }: CatalogRelation): string {
  return `${schema}.${name}`;
}
