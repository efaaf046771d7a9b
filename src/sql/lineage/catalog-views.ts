/** The same catalog, in which names mean something else. */
import type { LineageCatalog } from './catalog.js';

export interface OtherNames
  extends Partial<Pick<LineageCatalog, 'find' | 'functions' | 'isKnown' | 'isFree' | 'variant'>> {
  /** Names have become doubtful beyond what the catalog says. */
  readonly doubtful?: boolean;
}

export function withNames(base: LineageCatalog, { doubtful = false, ...names }: OtherNames): LineageCatalog {
  return {
    find: (schema, name, searchPath) => base.find(schema, name, searchPath),
    functions: (schema, name, searchPath) => base.functions(schema, name, searchPath),
    isKnown: (name) => base.isKnown(name),
    isFree: (name) => base.isFree(name),
    ...(base.variant === undefined ? {} : { variant: base.variant }),
    ...names,
    get generation() {
      return base.generation;
    },
    get current() {
      return base.current && !doubtful;
    },
    get knowsNames() {
      return base.knowsNames;
    },
    isLasting: (name) => base.isLasting(name),
    isBuiltIn: (name) => base.isBuiltIn(name),
    codeBefore: (kind, name) => base.codeBefore(kind, name),
    codeByOid: (oid) => base.codeByOid(oid),
    behind: (kind, name) => base.behind(kind, name),
    byOid: (oid) => base.byOid(oid),
    relations: () => base.relations(),
  };
}
