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
  if (effect.kind !== 'update' || target === undefined) return undefined;
  // of a text with several statements it is not sure which of them the parameters belong to
  if (others.length > 0 || facts.statements.length > 1) return undefined;
  // whatever the search_path of the session finds is one relation, and another one in another session
  const relation = target.schema ?? `\0${sessionDigest}`;
  const name = (columns: readonly string[], key: unknown): string => JSON.stringify([relation, columns, key]);
  const { listedBy, namedRows } = effect;
  if (namedRows === undefined) {
    if (listedBy === undefined) return undefined;
    return listedElements(effect, bindValues)?.map((one) => name([listedBy], [[one, '']]));
  }
  const integers = namedRows.some(({ values }) => values.some((one) => 'integer' in one)) ? integersOf(sql) : [];
  const textOf = (value: KeyValue): string | null | undefined => {
    if ('text' in value) return value.text;
    return 'integer' in value ? integers[value.integer] : bindValues?.[value.parameter - 1];
  };
  const names: string[] = [];
  for (const { columns, values } of namedRows) {
    const key = values.map((one) => [textOf(one), one.cast ?? '']);
    if (key.some(([value]) => value === undefined)) return undefined;
    names.push(name(columns, key));
  }
  return names;
}

/** Longer lists are not told apart. */
const mostListed = 100;

/** Elements of the one array that names the rows, which may be more than there are; undefined unless they are plain. */
function listedElements({ within, listed }: Effect, values: CountedStatement['bindValues'] = []): string[] | undefined {
  if (within !== undefined || listed === undefined || listed.written > 0 || listed.variables.length > 0)
    return undefined;
  const [parameter, ...others] = listed.parameters;
  if (parameter === undefined || others.length > 0) return undefined;
  const array = values[parameter - 1] ?? '';
  if (!plainArrays.some((plain) => plain.test(array))) return undefined;
  const elements = [...new Set(array.slice(1, -1).replaceAll('"', '').split(','))];
  return elements.length > mostListed ? undefined : elements;
}

/** Nothing in an element that is a comma, or that would have to be escaped. */
const plainArrays = [/^\{[\w.:-]+(?:,[\w.:-]+)*\}$/, /^\{"[\w.:-]+"(?:,"[\w.:-]+")*\}$/];
