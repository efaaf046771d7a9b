import type { Facts } from '../../sql/facts.js';
import { RawJson } from '../../transcript/entry.js';

/**
 * The facts of one text as they stand in the transcript. Facts are cached, and texts that differ in integers only share
 * their effects, so the JSON is made once for all of them.
 */
export class FactsRecords {
  readonly #records = new WeakMap<object, RawJson>();

  of(facts: Facts): RawJson {
    const [only, ...more] = facts.statements;
    const key = only === undefined || more.length > 0 || facts.unparseable ? facts : only.effects;
    let record = this.#records.get(key);
    if (record === undefined) {
      record = makeRecord(facts);
      this.#records.set(key, record);
    }
    return record;
  }
}

function makeRecord(facts: Facts): RawJson {
  if (facts.unparseable) return new RawJson({ unparseable: facts.unparseable.reason });
  return new RawJson(
    facts.statements.map((statement) => ({
      command: statement.command,
      effects: statement.effects.map((effect) => ({
        kind: effect.kind,
        targets: effect.targets.map((target) => (target.schema ? `${target.schema}.${target.name}` : target.name)),
        ...(effect.bounded ? {} : { unbounded: true }),
        ...(effect.opaque ? { opaque: true } : {}),
      })),
      ...(statement.functions.length > 0 ? { functions: statement.functions } : {}),
    })),
  );
}
