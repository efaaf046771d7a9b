/**
 * The server's catalog as lineage needs it: relations, columns, views' queries, inheritance.
 *
 * What lives here: the last copy, and whether it may still be believed. What it must not know: masks, statements.
 */
import { DbguardError } from '../../errors.js';
import type { CatalogChange } from '../../proxy/session-state/catalog-change.js';
import { type Objects, oidArray, type Question } from '../../sql/catalog/questions.js';
import type { CatalogCode, CatalogRelation, LineageCatalog, OwnCode, SearchPath } from '../../sql/lineage/catalog.js';
import { builtInsQuery, callersQuery, codeQuery, LoadedCode, someCodeQuery } from '../../sql/lineage/loaded-code.js';
import { NameDoubts } from '../../sql/lineage/name-doubts.js';
import { finished, type Steps } from '../../sql/steps.js';
import { relationsOf } from './catalog-relations.js';
import type { Row } from './control-connection.js';
import type { AskCatalog, CatalogReader } from './keeper.js';
import { ByOid } from './known-objects.js';
import { type RelationPart, relationQueries } from './mask-questions.js';

type Part = 'callers' | RelationPart | 'code' | 'built-ins';

const system: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema']);

const isTemporary = (schema: string): boolean => schema.startsWith('pg_temp');

type DoubtedBy = Pick<CatalogChange, 'code' | 'otherCode' | 'functions' | 'relations' | 'calls'>;

export class MaskCatalog implements LineageCatalog, CatalogReader {
  readonly ignoresTemporary = false;
  #relations = new ByOid<CatalogRelation>();
  /** What functions, operators and casts there are, as read last. */
  #code: LoadedCode | undefined;
  #codeKnown = false;
  /** While code is not known: the functions that may be others than what was read; undefined: any code may be. */
  #others: Set<string> | undefined;
  #current = false;
  /** While the catalog is not current: which names may mean something else by now; undefined: any. */
  #doubts: NameDoubts | undefined;
  generation = 0;

  get current(): boolean {
    return this.#current;
  }

  doubt(change: DoubtedBy | undefined): void {
    const code = change?.code ?? true;
    const names = this.#doubtNames(change);
    // what was doubtful already gives no other answers now
    if (this.#current || names || (code && (this.#codeKnown || this.#others !== undefined))) this.generation++;
    this.#current = false;
    if (!code) return;
    const before = this.#codeKnown ? new Set<string>() : this.#others;
    this.#others = change?.otherCode === false && before ? new Set([...before, ...change.functions]) : undefined;
    this.#codeKnown = false;
  }

  /** @returns whether more names are in doubt than before */
  #doubtNames(change: DoubtedBy | undefined): boolean {
    if (this.#doubts === undefined) return false;
    // what runs may define anything
    const runs = change?.calls.some((name) => this.#code?.functions(undefined, name, undefined).length !== 0) ?? true;
    const fires = this.#code?.behind('made', 'event').length !== 0;
    if (change !== undefined && change.relations !== 'all' && !runs && !fires)
      return this.#doubts.add(change.relations);
    this.#doubts = undefined;
    return true;
  }

  /** What to ask about these objects, or about all that there are. */
  questions(objects?: Objects): Question[] {
    return this.#parts(objects).map(({ question }) => question);
  }

  /** The answers, in that order; a step for each relation. Until the end of the steps, all is as it was. */
  *take(answers: readonly (readonly Row[])[], objects?: Objects): Steps<void> {
    const answered = new Map(this.#parts(objects).map(({ part }, at) => [part, answers[at] ?? []]));
    const rows = (part: Part): readonly Row[] => answered.get(part) ?? [];
    const [relations, columns, behind] = [rows('relations'), rows('columns'), rows('behind')];
    const read = relationsOf({ relations, columns, behind, constants: rows('constants'), tags: rows('tags') });
    if (objects === undefined || this.#code === undefined) {
      const byOid = new ByOid<CatalogRelation>();
      for (const relation of read) {
        byOid.set(relation.oid, relation);
        yield;
      }
      this.#relations = byOid;
      this.#code = LoadedCode.of(rows('code'), rows('callers'), rows('built-ins'));
    } else {
      for (const oid of objects.relations) this.#relations.delete(oid);
      if (answered.has('code') || answered.has('callers'))
        this.#code = this.#code.with(rows('code'), answered.get('callers'), objects.functions);
      for (const relation of read) this.#relations.set(relation.oid, relation);
    }
    this.generation++;
    this.#doubts?.reread();
  }

  #parts(objects: Objects | undefined): readonly { readonly part: Part; readonly question: Question }[] {
    const callers = { part: 'callers', question: { sql: callersQuery, values: [] } } as const;
    if (objects === undefined) {
      const code = [['code', codeQuery] as const, ['built-ins', builtInsQuery] as const];
      const all = [...relationQueries('all'), ...code];
      return [callers, ...all.map(([part, sql]) => ({ part, question: { sql, values: [] } }))];
    }
    const about = (part: Part, sql: string, oids: ReadonlySet<number>) =>
      oids.size === 0 ? [] : [{ part, question: { sql, values: [oidArray(oids)], often: true } as const }];
    return [
      ...(objects.callers ? [callers] : []),
      ...relationQueries('some').flatMap(([part, sql]) => about(part, sql, objects.relations)),
      ...about('code', someCodeQuery, objects.functions),
    ];
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.generation++;
    this.#current = true;
    this.#doubts = new NameDoubts();
    this.#codeKnown = true;
  }

  isKnown(name: string): boolean {
    return this.#current || this.#doubts?.isKnown(name) === true;
  }

  get knowsNames(): boolean {
    return this.#current || this.#doubts !== undefined;
  }

  isFree(name: string): boolean {
    return this.isKnown(name) && this.#named(name).length === 0;
  }

  find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined {
    const relation = this.#find(schema, name, searchPath);
    if (relation === undefined || this.#current) return relation;
    return this.#doubts?.seen(relation, this);
  }

  #find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined {
    if (schema !== undefined)
      return isTemporary(schema) ? undefined : this.#named(name).find((one) => one.schema === schema);
    const named = this.#named(name);
    // A temporary table comes first in every search_path, and whose it is cannot be told from here.
    if (named.some((one) => isTemporary(one.schema))) return undefined;
    if (searchPath === undefined) return named.length === 1 ? named[0] : undefined;
    const path = searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath];
    for (const schema of path) {
      const relation = named.find((one) => one.schema === schema);
      if (relation !== undefined) return relation;
    }
    return undefined;
  }

  isLasting(name: string): boolean {
    return this.#named(name).some(({ schema }) => !isTemporary(schema));
  }

  functions(schema: string | undefined, name: string, searchPath: SearchPath): readonly CatalogCode[] | undefined {
    const known = this.#known;
    if (known !== undefined) return known.functions(schema, name, searchPath);
    return this.#isStillBuiltIn(name) ? [] : undefined;
  }

  /** The application has had no function of that name, and has got none since. */
  #isStillBuiltIn(name: string): boolean {
    const code = this.#code;
    if (code === undefined || this.#others === undefined || this.#others.has(name)) return false;
    return code.isBuiltIn(name) && code.functions(undefined, name, undefined).length === 0;
  }

  isBuiltIn(name: string): boolean {
    return this.#known?.isBuiltIn(name) ?? true;
  }

  codeBefore(kind: 'function' | OwnCode, name: string): readonly CatalogCode[] | undefined {
    if (kind !== 'function') return this.#code?.behind(kind, name);
    const own = this.#code?.functions(undefined, name, undefined);
    return own?.length === 0 && !this.#code?.isBuiltIn(name) ? undefined : own;
  }

  codeByOid(oid: number): CatalogCode | undefined {
    return this.#known?.byOid(oid);
  }

  behind(kind: OwnCode, name: string): readonly CatalogCode[] | undefined {
    if (this.#known !== undefined || this.#others === undefined) return this.#known?.behind(kind, name);
    // where nothing ran, a function that is another does not either
    const before = this.#code?.behind(kind, name);
    return before?.length === 0 ? before : undefined;
  }

  byOid(oid: number): CatalogRelation | undefined {
    return this.#relations.get(oid);
  }

  *relations(): Iterable<CatalogRelation> {
    for (const relation of this.#relations.values()) if (!system.has(relation.schema)) yield relation;
  }

  get #known(): LoadedCode | undefined {
    return this.#codeKnown ? this.#code : undefined;
  }

  /** All of a name, in whatever schema. */
  #named(name: string): readonly CatalogRelation[] {
    return this.#relations.named(name).flatMap((oid) => this.#relations.get(oid) ?? []);
  }
}

/** Throws DbguardError when the server does not answer. */
export async function readMaskCatalog(ask: AskCatalog, timeoutMs = 10_000): Promise<MaskCatalog> {
  const catalog = new MaskCatalog();
  try {
    finished(catalog.take(await ask(catalog.questions(), timeoutMs)));
  } catch (cause) {
    throw new DbguardError('upstream-unreachable', 'the catalog could not be read, so nothing can be masked', {
      hint: 'Masked columns need a login that may read pg_class and pg_attribute.',
      cause,
    });
  }
  catalog.believe();
  return catalog;
}
