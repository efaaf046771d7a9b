/**
 * What the names in a view of the session's own were bound to when it was made: the server binds them once and for all.
 *
 * What lives here: recording what names meant, and a catalog in which they mean that still. What it must not know: masks,
 * what the view returns. Names in bodies of functions that it calls are looked up anew whenever they run.
 */
import type { BoundNames, CatalogRelation, LineageCatalog } from './catalog.js';
import { withNames } from './catalog-views.js';
import { relationNow } from './name-doubts.js';

const keyOf = (schema: string | undefined, name: string): string => JSON.stringify([schema, name]);

/** The same catalog, and what was found by name in it until then. */
export function recording(base: LineageCatalog): { readonly catalog: LineageCatalog; readonly bound: BoundNames } {
  const relations = new Map<string, CatalogRelation>();
  const functions = new Map<string, readonly number[]>();
  const catalog = withNames(base, {
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
  return withNames(now, {
    find: (schema, name) => {
      const then = relations.get(keyOf(schema, name));
      if (then === undefined) return undefined;
      // a temporary relation that has been made anew may be another under the same oid
      if (isNewLasting(then)) {
        const found = now.find(then.schema, then.name, []);
        return found?.oid === then.oid ? { ...found, columns: then.columns } : undefined;
      }
      if (isTemporary(then)) return now.find('pg_temp', then.name, []) === then ? then : undefined;
      const relation = relationNow(then.oid, now);
      // columns are bound by their numbers, whatever they are called since
      return relation && { ...relation, columns: then.columns };
    },
    functions: (schema, name) => {
      const found = functions.get(keyOf(schema, name))?.map((oid) => now.codeByOid(oid));
      return found?.every((code) => code !== undefined) ? found : undefined;
    },
  });
}

/** Of the open transaction: what is done to it leaves it its number. */
function isNewLasting({ oid, schema }: CatalogRelation): boolean {
  return oid < 0 && !schema.startsWith('pg_temp');
}

function isTemporary({ oid, schema }: CatalogRelation): boolean {
  return oid < 0 || schema.startsWith('pg_temp');
}
