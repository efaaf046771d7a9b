/** Tables and views for lineage: what a name is bound to, and the columns that come out of it. */
import type { RangeVar } from 'libpg-query';
import { anyColumn, anyFlow, baseColumn, type CatalogRelation, type Flow, noFlow } from './catalog.js';
import { definitionColumn } from './definition-texts.js';
import { union } from './flow.js';
import { isHarmless, revealsValues } from './functions.js';
import { laterColumn, relationNow } from './name-doubts.js';
import { type Column, type Shape, shapeOf } from './shape.js';
import { rowOf, withBeside } from './structure.js';
import { toldStatistics } from './told-rows.js';
import type { LineageWalk } from './walk.js';

export function boundRelation(range: RangeVar, walk: LineageWalk): CatalogRelation | undefined {
  const { catalog, searchPath } = walk.knowledge;
  const name = range.relname ?? '';
  const relation = catalog.isKnown(name) ? catalog.find(range.schemaname, name, searchPath) : undefined;
  if (relation === undefined) walk.unbound = true;
  else note(relation, walk);
  return relation;
}

export function tableShape(range: RangeVar, walk: LineageWalk): Shape {
  const relation = boundRelation(range, walk);
  return relation === undefined ? walk.notUnderstood() : columnsOf(relation, walk);
}

function note(relation: CatalogRelation, walk: LineageWalk): void {
  if (walk.relations.has(relation.oid)) return;
  walk.relations.add(relation.oid);
  const row: Flow = new Set(relation.columns.map(({ number }) => baseColumn(relation.oid, number)));
  // only policies run when rows are read; of what runs on a write, any relation that is touched counts
  const reads = relation.secured !== false;
  for (const oid of relation.behind ?? []) walk.passBy(walk.knowledge.catalog.codeByOid(oid), reads ? row : undefined);
  for (const [oid, number] of relation.policyReads ?? []) lookAt(oid, number, walk);
  for (const oid of relation.children) {
    const child = walk.knowledge.catalog.byOid(oid);
    if (child !== undefined) note(child, walk);
  }
}

/** What a policy itself looks at, past any function. */
function lookAt(oid: number, number: number, walk: LineageWalk): void {
  const relation = relationNow(oid, walk.knowledge.catalog);
  if (relation === undefined) {
    walk.unbound = true;
    return;
  }
  note(relation, walk);
  const { all, columns } = columnsOf(relation, walk);
  const at = relation.columns.findIndex((one) => one.number === number);
  walk.examined = union([walk.examined, columns?.[at]?.flow ?? all]);
}

function columnsOf(relation: CatalogRelation, walk: LineageWalk): Shape {
  const reveals = revealsValues(relation.schema, relation.name);
  if (reveals) walk.opaque = true;
  const isView = relation.definition !== undefined || relation.made !== undefined;
  const inner = !isView ? undefined : walk.knowledge.viewShape(relation, walk);
  const read = columnsBy(inner);
  const isStatistics = relation.schema === 'pg_catalog' && relation.name === 'pg_stats';
  const columns = isStatistics
    ? toldStatistics(read, (name) => !isHarmless(relation.schema, name), walk.knowledge.catalog)
    : read;
  const branches = inner?.branches?.map((one) => {
    const own = columnsBy(one);
    return { ...shapeOf(own), whole: rowOf(own) };
  });
  // the fields of a row have the names of the relation's type, whatever an alias calls the columns
  return { ...shapeOf(columns), whole: rowOf(columns), branches };

  function columnsBy(inner: Shape | undefined): Column[] {
    const known = inner?.columns?.length === relation.columns.length ? inner.columns : undefined;
    return relation.columns.map(({ name, number }, at) => {
      if (number === laterColumn) return { name: undefined, flow: anyFlow, direct: false };
      return column(name, number, inner, known?.[at]);
    });
  }

  function column(name: string, number: number, inner: Shape | undefined, known: Column | undefined): Column {
    const hidden = reveals && !isHarmless(relation.schema, name);
    const own = hidden ? anyFlow : columnFlow(relation, name, number, walk);
    const text = definitionColumn(relation.schema, relation.name, name);
    if (text !== undefined) return { ...text, name };
    const form =
      inner === undefined && !hidden ? walk.knowledge.storedForm(baseColumn(relation.oid, number)) : undefined;
    if (form !== undefined && relation.children.length === 0) return { ...form, name, direct: false };
    const isMade = relation.columns.some((one) => one.number === number && one.from !== undefined);
    if (inner === undefined) return { name, flow: own, direct: !hidden && !isMade };
    const column = known ?? { flow: inner.columns === undefined ? inner.all : anyFlow, direct: false };
    return { ...withBeside(column, own), name, direct: column.direct };
  }
}

/** A parent's column is also the children's of that name. */
function columnFlow(relation: CatalogRelation, name: string, number: number, walk: LineageWalk): Flow {
  const from = relation.columns.find((one) => one.number === number)?.from ?? noFlow;
  const flow = new Set([baseColumn(relation.oid, number), ...from]);
  const visit = (parent: CatalogRelation): void => {
    for (const oid of parent.children) {
      const child = walk.knowledge.catalog.byOid(oid);
      const column = child?.columns.find((one) => one.name === name);
      if (child === undefined || column === undefined) flow.add(anyColumn);
      else {
        flow.add(baseColumn(oid, column.number));
        visit(child);
      }
    }
  };
  visit(relation);
  return union([flow]);
}
