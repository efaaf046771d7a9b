/**
 * Masks that stand in the database itself: a comment of a column, `dbguard:mask=partial keep=4`, and the security labels
 * of postgresql_anonymizer, `MASKED WITH FUNCTION anon.partial(phone, 2, $$***$$, 2)`.
 *
 * What lives here: what such a text means. What it must not know: the catalog. A tag that is not understood hides
 * everything: whoever wrote it did not want the values to be seen.
 * Source: postgresql-anonymizer.readthedocs.io, "Masking Functions" and "Declare masking rules".
 */
import type { AggregatePolicy } from './mask-aggregates.js';
import type { Mask } from './mask-kinds.js';
import { readMask } from './read-mask.js';
import { readYaml } from './yaml-source.js';

/** Where a tag stands: in a comment, or as a label of another tool. */
export interface ColumnTag {
  readonly in: 'comment' | 'label';
  readonly text: string;
}

export interface TaggedMask {
  readonly mask: Mask;
  readonly aggregates?: AggregatePolicy;
}

const nothingLeft: TaggedMask = { mask: { kind: 'null' } };

/** Undefined where the tag masks nothing: `dbguard:mask=none`, `NOT MASKED`. */
export function maskOfTag({ in: where, text }: ColumnTag): TaggedMask | undefined {
  return where === 'comment' ? ofComment(text) : ofLabel(text);
}

/** What the kinds need that a short tag leaves out. */
const given: Readonly<Record<string, string>> = {
  partial: 'keep: 4',
  date: 'keep: year',
  fixed: 'value: "***"',
};

function ofComment(text: string): TaggedMask | undefined {
  const [, kind, rest = ''] = /dbguard:mask=([\w-]+)(?![^\s,;.)])([^;\n]*)/.exec(text) ?? [];
  if (kind === 'none') return undefined;
  if (kind === undefined) return nothingLeft;
  const pairs = [...rest.matchAll(/([a-z_]+)=("[^"]*"|\[[^\]]*\]|[^\s,;]+)/g)].map(
    ([, key, value = '']) =>
      `${key}: ${/^["[]/.test(value) || /^[\w.-]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  const missing = given[kind];
  if (missing !== undefined && !pairs.some((pair) => pair.startsWith(missing.split(':')[0] ?? ''))) pairs.push(missing);
  return declared([`with: ${kind === 'null' ? '"null"' : kind}`, ...pairs]);
}

function ofLabel(text: string): TaggedMask | undefined {
  if (/^\s*NOT\s+MASKED/i.test(text)) return undefined;
  const [, value] = /WITH\s+VALUE\s+'((?:[^']|'')*)'\s*$/i.exec(text) ?? [];
  if (value !== undefined) return declared(['with: fixed', `value: ${JSON.stringify(value.replaceAll("''", "'"))}`]);
  const [, name = '', args = ''] = /WITH\s+FUNCTION\s+(?:[\w"]+\.)?"?(\w+)"?\s*\(([\s\S]*)\)\s*$/i.exec(text) ?? [];
  if (name === 'partial') {
    const [, first, last] = /^[^,]+,\s*(\d+)\s*,(?:.*),\s*(\d+)\s*$/s.exec(args) ?? [];
    return first === undefined || last === undefined
      ? nothingLeft
      : declared(['with: partial', `keep: { first: ${first}, last: ${last} }`]);
  }
  if (/^(partial|fake|dummy|pseudo)\w*_?email/.test(name)) return declared(['with: email']);
  if (/^(hash|digest|pseudo)/.test(name)) return declared(['with: hash']);
  return nothingLeft;
}

function declared(pairs: readonly string[]): TaggedMask {
  const { value } = readYaml(`{ column: "*", ${pairs.join(', ')} }`, 'tag', readMask);
  return value ?? nothingLeft;
}
