/**
 * Masks of one client connection: what its cursors and prepared statements may return, and what it has made that the
 * catalog does not know.
 *
 * What lives here: what names of the session stand for. What it must not know: how lineage is found, what is masked.
 */
import type { SearchPath } from '../sql/lineage/catalog.js';
import { union } from '../sql/lineage/flow.js';
import { openShape, unknownShape } from '../sql/lineage/shape.js';
import type { Handles, Returns } from '../sql/lineage/statement.js';
import type { Exemptions } from './exemptions.js';
import type { KnownNames, Masker, NamesAfter } from './masker.js';
import { OwnRelations } from './own-relations.js';
import type { MaskPlan } from './statement-plan.js';

/** A name that has stood for more than this may stand for anything. */
const maxMeanings = 50;

export class SessionMasks {
  readonly temporary = new OwnRelations('temporary');
  /** Of the open transaction. */
  readonly fresh = new OwnRelations('lasting');
  readonly #masker: Masker;
  #own: KnownNames = { known: new Map(), fresh: new Map(), variant: '' };
  readonly #handles = new Map<string, Map<string, Returns>>();

  constructor(masker: Masker) {
    this.#masker = masker;
  }

  /** What is notified may hold masked values, whoever wrote the row. */
  get hidesNotifications(): boolean {
    return this.#masker.exported;
  }

  get exemptions(): Exemptions | undefined {
    return this.#masker.exemptions;
  }

  /** Comments or labels in the database mask something: who changes them takes masks away, for the next run. */
  get hasTags(): boolean {
    return this.#masker.tagged;
  }

  /** Total. */
  planFor(sql: string, searchPath: SearchPath): MaskPlan {
    const cacheable = !/\b(declare|fetch|prepare|execute)\b/i.test(sql);
    const plan = this.#masker.plan(sql, searchPath, this.#named, cacheable, this.#ownNames);
    // whoever asks may send it at once, and not every statement is reported again when it goes to the server
    this.filling(sql, searchPath);
    this.#masker.running(sql);
    return plan;
  }

  /**
   * A text that defines something goes to the server.
   * @param lasting more than temporary relations, of which is known what they hold
   */
  defining(sql: string, lasting = true): void {
    this.#masker.defining(sql, lasting);
  }

  /** What each statement of a text does to relations that the catalog does not know; undefined: anything. */
  names(sql: string, searchPath: SearchPath): readonly NamesAfter[] | undefined {
    return this.#masker.names(sql, searchPath, this.#named, this.#ownNames);
  }

  /** A text goes to the server that may have run what fills such tables: what those hold is not known any more. */
  filling(sql: string, searchPath: SearchPath): void {
    const made = this.temporary.known.size + this.fresh.known.size;
    if (made === 0 || !this.#masker.fills(sql, searchPath, this.#named, this.#ownNames)) return;
    this.fresh.doubtAll();
    // what was put off until now was begun before the table was there, or has been seen
    if (/^\s*(commit|end)\b[^;]*;?\s*$/i.test(sql)) this.temporary.rolledBack();
    else this.temporary.doubtAll();
  }

  get #ownNames(): KnownNames {
    const { known } = this.temporary;
    const fresh = this.fresh.known;
    if (known !== this.#own.known || fresh !== this.#own.fresh) {
      this.#own = { known, fresh, variant: known.size + fresh.size === 0 ? '' : this.#masker.newVariant() };
    }
    return this.#own;
  }

  readonly #named: Handles = {
    get: (kind, name) => {
      const known = [...(this.#handles.get(`${kind} ${name}`)?.values() ?? [])];
      const [only, ...more] = known;
      if (only === undefined || more.length === 0) return only;
      if (known.length >= maxMeanings) return () => unknownShape;
      return (walk) => openShape(union(known.map((returns) => returns(walk).all)));
    },
    // The statement may fail and leave what the name stood for: it stands for both.
    add: (kind, name, returns, key) => {
      const handle = `${kind} ${name}`;
      const meanings = this.#handles.get(handle) ?? new Map<string, Returns>();
      this.#handles.set(handle, meanings);
      if (meanings.size < maxMeanings) meanings.set(key, returns);
    },
  };
}
