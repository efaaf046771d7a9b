/**
 * What columns hold that triggers and expressions of the database's own fill, where that has a form: the rows that an
 * audit trigger writes as JSON. Their clean fields show, and the masked ones are hidden inside.
 *
 * State: one form for each such column, which only ever widens: what an earlier trigger has written is there still. Must
 * not know masks. A key that no form has is hidden where the value is read.
 */
import type { BaseColumn, LineageCatalog } from './catalog.js';
import type { Derived } from './derived.js';
import { either } from './either.js';
import { readJson, toText } from './json-structure.js';
import type { Value } from './structure.js';

export class StoredForms {
  /** Undefined: it may hold something that has no form. */
  readonly #forms = new Map<BaseColumn, Value | undefined>();

  /** @param derived all that fills columns, as the catalog says now */
  widen(derived: readonly Derived[], catalog: LineageCatalog): void {
    for (const { into, flow, value } of derived) {
      // of what holds no column anything may be written beside the form
      if (flow.size === 0) continue;
      const form = value && asStored(value, typeOf(into, catalog));
      const before = this.#forms.get(into);
      const isFirst = !this.#forms.has(into);
      const both = form && (isFirst ? form : before && either(before, form));
      this.#forms.set(into, both?.inside === undefined ? undefined : both);
    }
  }

  of(column: BaseColumn): Value | undefined {
    return this.#forms.get(column);
  }
}

/** pg_type.oid */
const types = { json: 114, jsonb: 3802, text: 25 } as const;

function typeOf(column: BaseColumn, catalog: LineageCatalog): number | undefined {
  const [oid, number] = column.split('.').map(Number);
  const relation = catalog.byOid(oid ?? 0);
  // rows of partitions may have come there by themselves
  if (relation === undefined || relation.children.length > 0) return undefined;
  return relation.columns.find((one) => one.number === number)?.type;
}

/** As the column's type has it; undefined where nothing is known of it then. */
function asStored(value: Value, type: number | undefined): Value | undefined {
  if (type === types.text) {
    const text = toText(value);
    return text.inside?.is === 'text' && isContainer(text.inside.of.is) ? text : undefined;
  }
  if (type !== types.json && type !== types.jsonb) return undefined;
  const json = readJson(value);
  return json.inside !== undefined && isContainer(json.inside.is) ? json : undefined;
}

const isContainer = (is: string): boolean => is === 'object' || is === 'list';
