/**
 * What statements can have changed that name all that they touch: the objects of those names, what hangs on them and
 * whose text they stand in. Found by name and number, so that it costs the same in a small database and in a large one.
 *
 * What lives here: how those objects are found, and which of them are gone. What it must not know: which statements name
 * all that they touch, when to ask.
 */
import { type Objects, oidArray, type Question, textArray } from '../../sql/catalog/questions.js';
import type { Row } from './control-connection.js';
import {
  functionColumns,
  type KnownFunctions,
  type KnownRelations,
  knownFunction,
  knownRelation,
  ownFunctions,
  relationColumns,
  relationKinds,
} from './known-objects.js';

/** More are looked for as if nobody had named them. */
export const mostNames = 300;

// arrays, so that the planner takes indexes: how many rows a recursion gives it cannot know
const near = 'ANY (ARRAY(SELECT near.oid FROM near))';
const dependent = (catalog: string): string =>
  `ANY (ARRAY(SELECT d.objid FROM dependents d WHERE d.classid = '${catalog}'::regclass))`;

/** $1: names; $2: relations that had them, and what hung on those. */
const sql = `
  WITH RECURSIVE near(oid) AS (
    SELECT * FROM (
      SELECT coalesce(i.indrelid, c.oid) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
        WHERE c.relname = ANY($1::name[]) AND c.oid >= 16384
      UNION ALL SELECT c.oid FROM pg_class c WHERE c.relname = ANY($1::name[]) AND c.oid >= 16384
      UNION ALL SELECT unnest($2::oid[])) named
    UNION
    SELECT next.oid FROM near CROSS JOIN LATERAL (
      SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = near.oid
      -- the index of a constraint depends on that alone
      UNION ALL SELECT x.indexrelid FROM pg_index x WHERE x.indrelid = near.oid
      UNION ALL SELECT d.objid FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = near.oid
        AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) next(oid)),
  dependents AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ${near})
  SELECT 'relation' AS what, ${relationColumns}
  FROM pg_class c WHERE c.oid = ${near} AND ${relationKinds}
  UNION ALL SELECT 'function', ${functionColumns}
  FROM pg_proc p WHERE p.proname = ANY($1::name[]) AND ${ownFunctions}
  UNION ALL SELECT 'touched', near.oid::text, NULL, NULL, NULL, NULL FROM near
  UNION ALL SELECT 'touched', r.ev_class::text, NULL, NULL, NULL, NULL FROM pg_rewrite r WHERE r.oid = ${dependent('pg_rewrite')}
  UNION ALL SELECT 'touched', y.polrelid::text, NULL, NULL, NULL, NULL FROM pg_policy y WHERE y.oid = ${dependent('pg_policy')}
  UNION ALL SELECT 'touched', g.tgrelid::text, NULL, NULL, NULL, NULL FROM pg_trigger g WHERE g.oid = ${dependent('pg_trigger')}
  UNION ALL SELECT 'touched', k.confrelid::text, NULL, NULL, NULL, NULL FROM pg_constraint k WHERE k.conrelid = ${near} AND k.contype = 'f'
  UNION ALL SELECT 'called', d.objid::text, NULL, NULL, NULL, NULL FROM dependents d WHERE d.classid = 'pg_proc'::regclass
  -- code of their own may have run with the statements
  UNION ALL SELECT 'unclear', NULL, NULL, NULL, NULL, NULL FROM pg_event_trigger WHERE evtenabled <> 'D'`;

export function namedQuestion(names: ReadonlySet<string>, relations: KnownRelations): Question {
  const known = oidArray(formerly(names, relations));
  return { sql, values: [textArray(names), known], often: true };
}

/** Relations that had these names, their tables, and what hung on those. */
function formerly(names: ReadonlySet<string>, relations: KnownRelations): Set<number> {
  const named = [...names].flatMap((name) => relations.named(name)).filter((oid) => oid >= firstOwn);
  return relations.withHanging(named.flatMap((oid) => [oid, ...tablesOf(oid, relations)]));
}

function tablesOf(oid: number, relations: KnownRelations): readonly number[] {
  return relations.get(oid)?.on ?? [];
}

/** FirstNormalObjectId in transam.h: below are PostgreSQL's own. */
const firstOwn = 16384;

/** @returns undefined where more may have changed than what was named */
export function takeNamed(
  rows: readonly Row[],
  names: ReadonlySet<string>,
  relations: KnownRelations,
  functions: KnownFunctions,
): Objects | undefined {
  const of = (what: string): Row[] => rows.filter((row) => row.what === what);
  if (of('unclear').length > 0) return undefined;
  const changed = { relations: new Set<number>(), functions: new Set<number>() };
  const before = formerly(names, relations);
  const there = new Map(of('relation').map(knownRelation));
  for (const oid of relations.withHanging([...before, ...there.keys()])) {
    changed.relations.add(oid);
    for (const referred of relations.get(oid)?.refersTo ?? []) changed.relations.add(referred);
    if (there.has(oid)) continue;
    // a parent has lost a child when it is gone
    for (const table of relations.delete(oid)?.on ?? []) changed.relations.add(table);
  }
  for (const [oid, known] of there) {
    relations.set(oid, known);
    for (const table of known.on) changed.relations.add(table);
  }
  for (const row of of('touched')) changed.relations.add(Number(row.oid));
  for (const name of names) {
    for (const oid of functions.named(name)) changed.functions.add(oid);
  }
  for (const oid of changed.functions) functions.delete(oid);
  for (const row of of('function')) {
    const [oid, known] = knownFunction(row);
    functions.set(oid, known);
    changed.functions.add(oid);
  }
  for (const row of of('called')) changed.functions.add(Number(row.oid));
  return changed;
}
