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
  type CatalogRelation,
  type Flow,
  type LineageCatalog,
  noFlow,
  type TriggerCall,
} from './catalog.js';
import type { StartWalk } from './code-flow.js';
import { PlpgsqlFlow } from './plpgsql-flow.js';
import { LineageScope } from './scope.js';
import { openShape, type Shape, shapeOf } from './shape.js';
import { bodyStatement } from './statement.js';
import { plain } from './structure.js';
import type { LineageWalk } from './walk.js';

export interface Derived {
  readonly into: BaseColumn;
  readonly flow: Flow;
  /** What makes it, for people: `trigger function public.audit on public.people`. */
  readonly by: string;
}

export interface DerivedColumns {
  readonly columns: readonly Derived[];
  /** Values that leave whenever a row is written: notifications, settings, files. */
  readonly exported: readonly { readonly flow: Flow; readonly by: string }[];
  /** Triggers and rules that cannot be followed. */
  readonly unseen: readonly string[];
}

export const nothingDerived: DerivedColumns = { columns: [], exported: [], unseen: [] };

export function derivedColumns(catalog: LineageCatalog, grammar: Grammar, start: StartWalk): DerivedColumns {
  const columns: Derived[] = [];
  const exported: { flow: Flow; by: string }[] = [];
  const unseen: string[] = [];
  for (const relation of catalog.relations()) {
    computed(relation);
    for (const call of relation.triggerCalls ?? []) triggered(relation, call);
    for (const text of relation.ruleTexts ?? []) ruled(relation, text);
    for (const oid of relation.behind ?? []) passedBy(relation, catalog.codeByOid(oid));
  }
  return { columns, exported, unseen };

  function computed(relation: CatalogRelation): void {
    for (const { generated, byDefault, name, number } of relation.columns) {
      const expression = generated ?? byDefault;
      if (expression === undefined) continue;
      const scope = new LineageScope();
      const row = rowOf(relation);
      scope.add({ parts: [row], aliases: new Map([[relation.name, row]]) });
      const walk = start(generated === undefined ? undefined : [], scope, []);
      const parsed = grammar.parse(`SELECT ${expression}`);
      const flow = 'tree' in parsed ? bodyStatement(parsed.tree.stmts?.[0]?.stmt, walk).all : anyFlow;
      const by = generated === undefined ? 'the default of' : 'generated column';
      columns.push({ into: baseColumn(relation.oid, number), flow, by: `${by} ${named(relation)}.${name}` });
      collect(walk, `${by} ${named(relation)}.${name}`);
    }
  }

  function triggered(relation: CatalogRelation, { function: oid, transitionTables }: TriggerCall): void {
    const code = catalog.codeByOid(oid);
    // PostgreSQL's own trigger functions, such as tsvector_update_trigger, put columns of the row into others of it
    const by = `trigger function ${code === undefined ? oid : `${code.schema}.${code.name}`} on ${named(relation)}`;
    if (code === undefined) {
      if (!ownTriggers.has(oid))
        for (const { number } of relation.columns) add(relation, number, rowOf(relation).all, by);
      return;
    }
    const parsed = code.language === 'plpgsql' ? grammar.parsePlpgsql(code.source) : undefined;
    if (parsed === undefined || 'rejection' in parsed) {
      if (!code.extension) lost(code, by);
      return;
    }
    const row = rowOf(relation);
    const { walk, fields } = new PlpgsqlFlow(parsed.tree, grammar, {
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
    for (const [key, { flow }] of fields) {
      const column = relation.columns.find(({ name }) => key === `new.${name}`);
      if (column !== undefined) add(relation, column.number, flow, by);
    }
    collect(walk, by);
    if (walk.opaque) lost(code, by);
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
    if (walk.opaque) lost(code, by);
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
    if (walk.opaque) unseen.push(by);
  }

  function collect(walk: LineageWalk, by: string): void {
    for (const { flow, into } of walk.sinks) {
      if (into !== undefined) columns.push({ into, flow, by });
      else if (flow.size > 0) exported.push({ flow, by });
    }
  }

  /** Every relation that the body names, but for those that it only reads, may hold any column. */
  function lost(code: CatalogCode, by: string): void {
    unseen.push(by);
    const words = writtenWords(code.source);
    for (const relation of catalog.relations()) {
      if (relation.definition !== undefined || !words.has(relation.name.toLowerCase())) continue;
      for (const { number } of relation.columns) add(relation, number, anyFlow, by);
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
