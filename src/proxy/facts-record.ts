import type { Facts } from '../sql/facts.js';
import type { JsonValue } from '../transcript/entry.js';

/** The facts of one text as they stand in the transcript. Facts are cached by text, so their records are too. */
export class FactsRecords {
  readonly #records = new WeakMap<Facts, JsonValue>();

  of(facts: Facts): JsonValue {
    let record = this.#records.get(facts);
    if (record === undefined) {
      record = makeRecord(facts);
      this.#records.set(facts, record);
    }
    return record;
  }
}

function makeRecord(facts: Facts): JsonValue {
  if (facts.unparseable) return { unparseable: facts.unparseable.reason };
  return facts.statements.map((statement) => ({
    command: statement.command,
    effects: statement.effects.map((effect) => ({
      kind: effect.kind,
      targets: effect.targets.map((target) => (target.schema ? `${target.schema}.${target.name}` : target.name)),
      ...(effect.bounded ? {} : { unbounded: true }),
      ...(effect.opaque ? { opaque: true } : {}),
    })),
    ...(statement.functions.length > 0 ? { functions: statement.functions } : {}),
  }));
}
