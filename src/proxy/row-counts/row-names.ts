/**
 * Names for the rows that an UPDATE or an upsert names by a key: the same name is the same row.
 *
 * What lives here: how a name is put together. What it must not know: which names have been heard before.
 */
import type { Effect, KeyValue } from '../../sql/facts.js';
import { integersOf } from '../../sql/integer-blind.js';
import type { CountedStatement } from './mass-effects.js';

/**
 * One for each row that the effect can change; undefined where some have none. Rows that are deleted have none either: what is
 * inserted under the same key afterwards is another row.
 */
export function rowNames(statement: CountedStatement, effect: Effect): readonly string[] | undefined {
  const { facts, sql, bindValues, sessionDigest } = statement;
  const [target, ...others] = effect.targets;
  if (effect.kind !== 'update' || effect.namedRows === undefined || target === undefined) return undefined;
  // of a text with several statements it is not sure which of them the parameters belong to
  if (others.length > 0 || facts.statements.length > 1) return undefined;
  const integers = effect.namedRows.some(({ values }) => values.some((one) => 'integer' in one)) ? integersOf(sql) : [];
  const textOf = (value: KeyValue): string | null | undefined => {
    if ('text' in value) return value.text;
    return 'integer' in value ? integers[value.integer] : bindValues?.[value.parameter - 1];
  };
  // whatever the search_path of the session finds is one relation, and another one in another session
  const relation = target.schema ?? `\0${sessionDigest}`;
  const names: string[] = [];
  for (const { columns, values } of effect.namedRows) {
    const key = values.map((one) => [textOf(one), one.cast ?? '']);
    if (key.some(([value]) => value === undefined)) return undefined;
    names.push(JSON.stringify([relation, columns, key]));
  }
  return names;
}
