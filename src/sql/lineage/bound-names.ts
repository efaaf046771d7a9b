/**
 * What the names in a view of the session's own were bound to when it was made: the server binds them once and for all.
 *
 * What lives here: recording what names meant, and a catalog in which they mean that still. What it must not know: masks,
 * what the view returns. Names in bodies of functions that it calls are looked up anew whenever they run.
 */
import type { BoundNames, CatalogRelation, LineageCatalog } from './catalog.js';

const keyOf = (schema: string | undefined, name: string): string => JSON.stringify([schema, name]);

/** The same catalog, and what was found by name in it until then. */
export function recording(base: LineageCatalog): { readonly catalog: LineageCatalog; readonly bound: BoundNames } {
  const relations = new Map<string, CatalogRelation>();
  const functions = new Map<string, readonly number[]>();
  const catalog = over(base, {
    find: (schema, name, searchPath) => {
      const found = base.find(schema, name, searchPath);
      if (found !== undefined) relations.set(keyOf(schema, name), found);
      return found;
    },
    functions: (schema, name, searchPath) => {
      const found = base.functions(schema, name, searchPath);
      if (found !== undefined) {
        functions.set(
          keyOf(schema, name),
          found.map(({ oid }) => oid),
        );
      }
      return found;
    },
  });
  return { catalog, bound: { relations, functions } };
}

/** What names mean that were bound then, as the database is now. */
export function boundCatalog({ relations, functions }: BoundNames, now: LineageCatalog): LineageCatalog {
  return over(now, {
    find: (schema, name) => {
      const then = relations.get(keyOf(schema, name));
      if (then === undefined) return undefined;
      // a temporary relation that has been made anew may be another under the same oid
      if (isTemporary(then)) return now.find('pg_temp', then.name, []) === then ? then : undefined;
      const relation = now.byOid(then.oid);
      // columns are bound by their numbers, whatever they are called since
      return relation && { ...relation, columns: then.columns };
    },
    functions: (schema, name) => {
      const found = functions.get(keyOf(schema, name))?.map((oid) => now.codeByOid(oid));
      return found?.every((code) => code !== undefined) ? found : undefined;
    },
  });
}

function isTemporary({ oid, schema }: CatalogRelation): boolean {
  return oid < 0 || schema.startsWith('pg_temp');
}

function over(base: LineageCatalog, names: Pick<LineageCatalog, 'find' | 'functions'>): LineageCatalog {
  return {
    ...names,
    get generation() {
      return base.generation;
    },
    get current() {
      return base.current;
    },
    ...(base.variant === undefined ? {} : { variant: base.variant }),
    isLasting: (name) => base.isLasting(name),
    isBuiltIn: (name) => base.isBuiltIn(name),
    codeBefore: (kind, name) => base.codeBefore(kind, name),
    codeByOid: (oid) => base.codeByOid(oid),
    behind: (kind, name) => base.behind(kind, name),
    byOid: (oid) => base.byOid(oid),
    relations: () => base.relations(),
  };
}
