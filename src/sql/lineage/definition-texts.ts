/**
 * Where PostgreSQL shows SQL of its own catalog: expressions that somebody defined, statements that sessions send.
 *
 * What lives here: the columns and functions that give such texts. What it must not know: which constants are masked.
 * Source: "System Catalogs", "System Views", "The Information Schema" and "System Catalog Information Functions" in the
 * PostgreSQL manual. Definitions of views and bodies of functions are the application's code, and no values of rows.
 */
import { definedConstants, type Flow, sentConstants } from './catalog.js';
import { plain, sqlText, type Value } from './structure.js';

const defined: Flow = new Set([definedConstants]);
const sent: Flow = new Set([sentConstants]);

/** Expressions in the server's inner form, which pg_get_expr() prints. */
const trees = `
  pg_class.relpartbound pg_attrdef.adbin pg_attribute.attmissingval pg_constraint.conbin pg_index.indexprs pg_index.indpred
  pg_policy.polqual pg_policy.polwithcheck pg_statistic_ext.stxexprs pg_trigger.tgqual pg_type.typdefaultbin`;

const texts = `
  pg_policies.qual pg_policies.with_check pg_indexes.indexdef pg_type.typdefault
  columns.column_default columns.generation_expression check_constraints.check_clause domains.domain_default
  attributes.attribute_default triggers.action_condition`;

const statements = 'pg_stat_activity.query pg_stat_statements.query';

const columns: ReadonlyMap<string, Value> = new Map([
  ...listed(trees).map((name) => [name, plain(defined)] as const),
  ...listed(texts).map((name) => [name, sqlText(defined)] as const),
  ...listed(statements).map((name) => [name, sqlText(sent)] as const),
]);

/** They print what a definition says; the others of them print no constants. */
const printers: ReadonlySet<string> = new Set(
  listed(`
  pg_get_expr pg_get_constraintdef pg_get_indexdef pg_get_partition_constraintdef pg_get_statisticsobjdef
  pg_get_triggerdef pg_get_function_arg_default`),
);

/** They show the same in a form of their own. */
const others: ReadonlyMap<string, Flow> = new Map([
  ['pg_get_statisticsobjdef_expressions', defined],
  ['pg_stat_get_activity', sent],
  ['pg_stat_get_backend_activity', sent],
]);

function listed(words: string): string[] {
  return words.trim().split(/\s+/);
}

/** A column of the catalogs that shows such a text. */
export function definitionColumn(schema: string, relation: string, column: string): Value | undefined {
  const known = schema === 'pg_catalog' || schema === 'information_schema' || relation === 'pg_stat_statements';
  return known ? columns.get(`${relation}.${column}`) : undefined;
}

/** What one of PostgreSQL's own functions adds to what it is given. */
export function definitionCall(name: string): Value | undefined {
  if (printers.has(name)) return sqlText(defined);
  const flow = others.get(name);
  return flow && plain(flow);
}
