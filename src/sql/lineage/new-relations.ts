/**
 * Lasting tables and views that the open transaction has made, for lineage: known to it before they stand in the catalog.
 *
 * What lives here: what a statement makes or does to one, and what names mean beside it. What it must not know: masks,
 * what became of a statement on the server. Whatever is not understood leaves the names that it mentions unknown.
 */
import type { AlterTableCmd, Constraint } from 'libpg-query';
import { as, type Node, names, type Tag } from '../grammar/tree.js';
import type { BoundNames, CatalogColumn, CatalogRelation, LineageCatalog, SearchPath } from './catalog.js';
import { withNames } from './catalog-views.js';
import { columnsLike } from './like-columns.js';
import { everyName } from './name-doubts.js';
import { constrained, type Definitions, isClean, newColumn, retyped } from './new-columns.js';
import type { Shape } from './shape.js';
import type { MadeRelation, OwnNames } from './temporary.js';

/** Where unqualified names are made; undefined where that is not known. Of schemas that hold nothing only the last may be there. */
function firstSchema(searchPath: SearchPath, catalog: LineageCatalog): string | undefined {
  const schemas = searchPath?.filter((schema) => schema !== 'pg_catalog' && !schema.startsWith('pg_temp')) ?? [];
  if (schemas.length < 2) return schemas[0];
  const held = new Set([...catalog.relations()].map(({ schema }) => schema));
  return schemas.find((schema) => held.has(schema)) ?? schemas.at(-1);
}

/** A name counts only where nothing else can have it, now or since the transaction began. */
export function withNewRelations(base: LineageCatalog, { fresh, known, variant }: OwnNames): LineageCatalog {
  const isCertain = (name: string): boolean =>
    fresh.get(name) !== undefined && base.knowsNames && !base.isLasting(name);
  return withNames(base, {
    variant,
    isKnown: (name) => (fresh.has(name) ? isCertain(name) || known.has(name) : base.isKnown(name)),
    isFree: (name) => !fresh.has(name) && !fresh.has(everyName) && !known.has(name) && base.isFree(name),
    find: (schema, name, searchPath) => {
      const relation = fresh.get(name);
      if (!fresh.has(name)) return base.find(schema, name, searchPath);
      if (relation === undefined || !isCertain(name)) return undefined;
      if (schema !== undefined) return schema === relation.schema ? relation : undefined;
      // a temporary one comes first, and so does one in a schema that is searched earlier
      return known.has(name) || firstSchema(searchPath, base) !== relation.schema ? undefined : relation;
    },
  });
}

interface Made {
  readonly definitions: Definitions;
  readonly searchPath: SearchPath;
  /** pg_class.oid that no catalog has. */
  readonly oid: number;
  /** What a query in it gives. */
  readonly rows: Shape | undefined;
  /** What the names in a view mean. */
  readonly bound?: BoundNames | undefined;
}

/**
 * The lasting relation that a statement makes, or what it makes of one that is as new; undefined for any other statement,
 * and where more than the client's own values may get into it.
 */
export function newRelation(stmt: Node, made: Made): MadeRelation | undefined {
  const { catalog } = made.definitions;
  if (!catalog.knowsNames || catalog.behind('made', 'event')?.length !== 0) return undefined;
  const renamed = renamedRelation(stmt, made);
  if (renamed !== undefined) return renamed;
  const altered = alteredRelation(stmt, made);
  if (altered !== undefined) return { relation: altered, untilCommit: false, lasting: true };
  const create = as(stmt, 'CreateStmt');
  const view = as(stmt, 'ViewStmt');
  const query = as(stmt, 'CreateTableAsStmt');
  // what a materialized view holds is known by its query alone
  if (query?.objtype === 'OBJECT_MATVIEW' || (view !== undefined && made.bound === undefined)) return undefined;
  const into = query?.into ?? as(stmt, 'SelectStmt')?.intoClause;
  const range = into?.rel ?? view?.view ?? create?.relation;
  const schema = range?.schemaname ?? firstSchema(made.searchPath, catalog);
  if (range?.relname === undefined || schema === undefined || schema.startsWith('pg_')) return undefined;
  if (range.relpersistence === 't') return undefined;
  const before = catalog.find(schema, range.relname, made.searchPath);
  // a view that is as new may be another at once
  const isReplaced = view?.replace === true && before?.made !== undefined && before.oid < 0;
  if (!isReplaced && !catalog.isFree(range.relname)) return undefined;
  // the columns of a query may be of any type, and a domain brings a default
  if (into !== undefined && catalog.behind('made', 'domain')?.length !== 0) return undefined;
  const titles = names(into?.colNames ?? view?.aliases);
  const columns = create
    ? tableColumns(stmt, made)
    : made.rows?.columns?.map((column, at) => ({ name: titles[at] ?? column.name, number: at + 1 }));
  if (columns === undefined || !columns.every(isNamed)) return undefined;
  const relation: CatalogRelation = {
    oid: made.oid,
    schema,
    name: range.relname,
    columns: columns.map((one) => ({ ...untyped, ...one })),
    children: [],
    secured: false,
    triggers: false,
    rules: false,
    ...(view?.query === undefined || made.bound === undefined
      ? {}
      : { made: { query: view.query, searchPath: made.searchPath, bound: made.bound } }),
  };
  return { relation, untilCommit: false, lasting: true };
}

const untyped = { type: 0, textual: false };

type Named = Partial<CatalogColumn> & Pick<CatalogColumn, 'name' | 'number'>;

function isNamed(column: Omit<Named, 'name'> & { readonly name: string | undefined }): column is Named {
  return column.name !== undefined;
}

function tableColumns(stmt: Node, { definitions, oid, searchPath }: Made): readonly CatalogColumn[] | undefined {
  const { tableElts = [], inhRelations, ofTypename, partspec, partbound } = as(stmt, 'CreateStmt') ?? {};
  if ([inhRelations, ofTypename, partspec, partbound].some((one) => one !== undefined)) return undefined;
  let columns: readonly CatalogColumn[] = [];
  const constraints: (readonly [string | undefined, Constraint])[] = [];
  for (const node of tableElts) {
    const definition = as(node, 'ColumnDef');
    const constraint = as(node, 'Constraint');
    const like = as(node, 'TableLikeClause');
    if (constraint !== undefined) constraints.push([undefined, constraint]);
    else if (like !== undefined) {
      const model = columnsLike(like, columns.length, { definitions, searchPath });
      if (model === undefined) return undefined;
      columns = [...columns, ...model];
    } else {
      const column = definition && newColumn(definition, { columns }, definitions);
      if (definition === undefined || column === undefined) return undefined;
      columns = [...columns, column];
      for (const one of definition.constraints ?? []) constraints.push([column.name, as(one, 'Constraint') ?? {}]);
    }
  }
  return constrained({ oid, columns }, constraints, definitions);
}

function renamedRelation(stmt: Node, made: Made): MadeRelation | undefined {
  const { renameType, relationType, relation: range, subname, newname: name } = as(stmt, 'RenameStmt') ?? {};
  const before = range && isNew(range.schemaname, range.relname, made);
  if (before === undefined || before.made !== undefined || name === undefined) return undefined;
  const known = { untilCommit: false, lasting: true } as const;
  if (renameType === 'OBJECT_TABLE') {
    if (!made.definitions.catalog.isFree(name)) return undefined;
    return { ...known, relation: renamedTo(name, before), vacates: before.name };
  }
  if (renameType !== 'OBJECT_COLUMN' || relationType !== 'OBJECT_TABLE') return undefined;
  const columns = before.columns.map((one) => (one.name === subname ? renamedTo(name, one) : one));
  return { ...known, relation: { ...before, columns } };
}

function renamedTo<Named extends Pick<CatalogColumn, 'name' | 'formerly'>>(name: string, before: Named): Named {
  return { ...before, name, formerly: [...(before.formerly ?? []), before.name] };
}

function alteredRelation(stmt: Node, made: Made): CatalogRelation | undefined {
  const comment = as(stmt, 'CommentStmt');
  if (comment !== undefined) return taggedRelation(stmt, made);
  const { objtype, relation: range, cmds = [] } = as(stmt, 'AlterTableStmt') ?? {};
  const before = objtype === 'OBJECT_TABLE' && range ? isNew(range.schemaname, range.relname, made) : undefined;
  let relation = before;
  for (const node of cmds) {
    const columns = relation && alteredColumns(relation, as(node, 'AlterTableCmd') ?? {}, made.definitions);
    relation = relation && columns && { ...relation, columns };
  }
  return relation;
}

function isNew(schema: string | undefined, name = '', { definitions, searchPath }: Made): CatalogRelation | undefined {
  const found = definitions.catalog.find(schema, name, searchPath);
  return found !== undefined && found.oid < 0 && found.schema !== 'pg_temp' ? found : undefined;
}

/** The first of an enumeration is what the tree leaves out. */
function alteredColumns(
  { oid, columns }: CatalogRelation,
  { subtype = 'AT_AddColumn', name, def, behavior, missing_ok: lenient = false }: AlterTableCmd,
  definitions: Definitions,
): readonly CatalogColumn[] | undefined {
  switch (subtype) {
    case 'AT_AddColumn': {
      const definition = as(def, 'ColumnDef');
      if (lenient && columns.some((one) => one.name === definition?.colname)) return columns;
      const column = definition && newColumn(definition, { columns }, definitions);
      const constraints = (definition?.constraints ?? []).map(
        (one) => [column?.name, as(one, 'Constraint') ?? {}] as const,
      );
      return column && constrained({ oid, columns: [...columns, column] }, constraints, definitions);
    }
    case 'AT_AddConstraint':
      return constrained({ oid, columns }, [[undefined, as(def, 'Constraint') ?? {}]], definitions);
    case 'AT_ColumnDefault':
      return def === undefined || isClean(def, new Set(), definitions) ? columns : undefined;
    case 'AT_AlterColumnType': {
      const type = as(def, 'ColumnDef');
      return type && retyped({ oid, columns }, name, type, definitions);
    }
    case 'AT_DropColumn':
      // numbers of columns are not given twice
      return behavior === 'DROP_CASCADE' || columns.at(-1)?.name === name
        ? undefined
        : columns.filter((one) => one.name !== name);
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
    case 'AT_ChangeOwner':
    case 'AT_SetStatistics':
    case 'AT_SetStorage':
      return columns;
    default:
      return undefined;
  }
}

/** What a comment says of masks holds at once, and is not taken back. */
function taggedRelation(stmt: Node, made: Made): CatalogRelation | undefined {
  const { objtype, object, comment } = as(stmt, 'CommentStmt') ?? {};
  const path = names(as(object, 'List')?.items);
  const [column, table, schema] = path.toReversed();
  const relation = objtype === 'OBJECT_COLUMN' && table !== undefined ? isNew(schema, table, made) : undefined;
  if (relation === undefined || comment?.includes('dbguard:mask') !== true) return undefined;
  const tagged = (one: CatalogColumn): CatalogColumn =>
    one.name === column ? { ...one, tags: [...(one.tags ?? []), { in: 'comment', text: comment }] } : one;
  return { ...relation, columns: relation.columns.map(tagged) };
}

/** Statements that may make one, or make one another. */
export const makesNew: ReadonlySet<Tag> = new Set<Tag>([
  ...(['CreateTableAsStmt', 'SelectStmt', 'ViewStmt', 'CreateStmt', 'AlterTableStmt', 'CommentStmt'] as const),
  'RenameStmt',
]);
