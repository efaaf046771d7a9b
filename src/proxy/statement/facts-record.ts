/**
 * The facts of a text as they stand in the transcript: in full once a session, and after that by the number of the entry
 * that has them.
 *
 * What lives here: which facts are the same. What it must not know: entries, who reads them.
 */
import type { Facts } from '../../sql/facts.js';
import { type JsonValue, RawJson } from '../../transcript/entry.js';
import type { FactsRecord } from '../candidate.js';
import { RecentMap } from './recent-map.js';

/** Different facts of a session that are remembered, twice. */
const KEPT = { entries: 1000, size: 1 << 20 };

/** Characters of the facts of one text: an entry has its limits, and nobody reads on. */
const MOST = 128 * 1024;

/** Facts are cached, and texts that differ in integers only share their effects, so the JSON is made once for all of them. */
export class FactsRecords {
  readonly #records = new WeakMap<object, FactsRecord>();
  readonly #byJson = new RecentMap<FactsRecord>(KEPT);

  of(facts: Facts): FactsRecord {
    const [only, ...more] = facts.statements;
    const key = only === undefined || more.length > 0 || facts.unparseable ? facts : only.effects;
    let record = this.#records.get(key);
    if (record === undefined) {
      record = this.#recordOf(new RawJson(asJson(facts)));
      this.#records.set(key, record);
    }
    return record;
  }

  /** Texts that differ in more than integers have the same facts too. */
  #recordOf(json: RawJson): FactsRecord {
    const known = this.#byJson.get(json.json);
    if (known !== undefined) return known;
    const record = { json, statedIn: undefined };
    this.#byJson.set(json.json, record);
    return record;
  }
}

/** What an entry says of facts: themselves, or where they stand. The caller notes the entry in `statedIn`. */
export function factsField({ json, statedIn }: FactsRecord): RawJson | number {
  return statedIn ?? json;
}

function asJson(facts: Facts): JsonValue {
  if (facts.unparseable) return { unparseable: facts.unparseable.reason };
  const all = facts.statements.map(statementAsJson);
  let size = 0;
  const fitting = all.filter((one) => {
    size += JSON.stringify(one).length;
    return size <= MOST;
  });
  const more = all.length - fitting.length;
  return more === 0 ? all : [...fitting, { more }];
}

function statementAsJson(statement: Facts['statements'][number]): JsonValue {
  return {
    command: statement.command,
    effects: statement.effects.map((effect) => ({
      kind: effect.kind,
      targets: effect.targets.map((target) => (target.schema ? `${target.schema}.${target.name}` : target.name)),
      ...(effect.bounded ? {} : { unbounded: true }),
      ...(effect.opaque ? { opaque: true } : {}),
    })),
    ...(statement.functions.length > 0 ? { functions: statement.functions } : {}),
  };
}
