/**
 * What the analyser knows of one database: functions, what runs behind relations, keys.
 *
 * What lives here: the copies, as a reader of the catalog's keeper. What it must not know: when it is read.
 */
import type { CatalogChange } from '../../proxy/session-state/catalog-change.js';
import { createAnalyser } from '../../sql/analyser.js';
import type { CatalogFunctions } from '../../sql/catalog/catalog-functions.js';
import type { CatalogRelations } from '../../sql/catalog/catalog-relations.js';
import {
  callersQuery,
  functionsQuery,
  LoadedFunctions,
  someFunctionsQuery,
} from '../../sql/catalog/loaded-functions.js';
import { LoadedRelations, type RelationDoubts } from '../../sql/catalog/loaded-relations.js';
import { type Objects, oidArray, type Question } from '../../sql/catalog/questions.js';
import { relationQuestions } from '../../sql/catalog/relation-questions.js';
import type { Analyser } from '../../sql/facts.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import type { Steps } from '../../sql/steps.js';
import type { Row } from './control-connection.js';
import type { CatalogReader } from './keeper.js';

export class FunctionCatalog implements CatalogReader {
  readonly ignoresTemporary = true;
  readonly analyser: Analyser;
  readonly functions: CatalogFunctions;
  readonly relations: CatalogRelations & Pick<LoadedRelations, 'doubts' | 'doubtsKeys' | 'doubtsSettings'>;
  readonly #functions: LoadedFunctions;
  readonly #relations: LoadedRelations;

  private constructor(analyser: Analyser, functions: LoadedFunctions, relations: LoadedRelations) {
    this.analyser = analyser;
    this.functions = this.#functions = functions;
    this.relations = this.#relations = relations;
  }

  static async create(grammar: Grammar): Promise<FunctionCatalog> {
    const functions = new LoadedFunctions();
    const relations = new LoadedRelations();
    const analyser = await createAnalyser({ grammar, catalog: functions, relations });
    return new FunctionCatalog(analyser, functions, relations);
  }

  questions(objects?: Objects): Question[] {
    const callers = { sql: callersQuery, values: [] };
    if (objects === undefined) return [{ sql: functionsQuery, values: [] }, callers, ...relationQuestions()];
    const functions: Question = { sql: someFunctionsQuery, values: [oidArray(objects.functions)], often: true };
    return [
      ...(objects.functions.size > 0 ? [functions] : []),
      ...(objects.callers ? [callers] : []),
      ...(objects.callers || objects.relations.size + objects.functions.size > 0 ? relationQuestions(objects) : []),
    ];
  }

  *take(answers: readonly (readonly Row[])[], objects?: Objects): Steps<void> {
    const left = [...answers];
    const functions = objects === undefined || objects.functions.size > 0 ? left.shift() : undefined;
    const callers = objects === undefined || objects.callers ? left.shift() : undefined;
    yield* this.#relations.take(left, objects);
    this.#functions.take(functions ?? [], callers, objects?.functions);
  }

  believe(): void {
    this.#functions.believe();
    this.#relations.believe();
  }

  doubt(change: CatalogChange | undefined): void {
    this.#relations.doubt(relationDoubts(change));
    this.#functions.doubt(distinct(change?.functions), change?.otherCode ?? true);
  }

  /**
   * What a change has made is what its text says, where that says all; else it stays in doubt.
   * @returns false where code has run with it that may have changed anything
   */
  learn(change: CatalogChange): boolean {
    const { plain, calls, otherCode } = change;
    if (plain === undefined || otherCode) return true;
    const { relations, functions, drops, runs } = plain;
    if (this.#functions.isCalledBy({ ...plain, calls: [...plain.calls, ...calls] })) return runs === undefined;
    const made = [...relations, ...functions].map(({ name }) => name);
    if (new Set(made).size < made.length || !this.#functions.isNew(plain)) return true;
    if (!relations.every((one) => this.#relations.isLike(one, drops))) return true;
    this.#relations.learn(plain, relationDoubts(change));
    this.#functions.learn(functions, distinct(change.functions));
    return true;
  }
}

function relationDoubts(change: CatalogChange | undefined): RelationDoubts {
  const { views = 'all', names, codeAlone = false } = change ?? {};
  return { views: views === 'all' ? views : distinct(views), names: distinct(names), keys: !codeAlone };
}

function distinct(names: readonly string[] = []): string[] {
  return [...new Set(names)];
}
