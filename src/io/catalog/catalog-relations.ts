/**
 * Relations as lineage knows them, from the answers of the server's catalog.
 *
 * What must not live here: what was asked (mask-questions.ts), what was read last, and whether it may still be believed.
 */
import {
  baseColumn,
  type CatalogColumn,
  type CatalogRelation,
  type DefinedConstants,
} from '../../sql/lineage/catalog.js';
import type { Row } from './control-connection.js';
import type { RelationPart } from './mask-questions.js';

/** From the answers to each of those questions, one after the other: there may be very many. */
export function* relationsOf(
  answers: Readonly<Record<RelationPart, readonly Row[]>>,
): Generator<CatalogRelation, void, undefined> {
  const known = {
    columns: new Map(answers.columns.map(({ relation, columns }) => [relation, columns])),
    behind: new Map(answers.behind.map(({ relation, functions }) => [relation, functions])),
    constants: constantsByRelation(answers.constants),
    tags: tagsByColumn(answers.tags),
  };
  for (const row of answers.relations) yield relationOf(row, known);
}

interface KnownParts {
  /** By oid, like what follows: a list in JSON. */
  readonly columns: ReadonlyMap<string | null | undefined, string | null | undefined>;
  readonly behind: ReadonlyMap<string | null | undefined, string | null | undefined>;
  readonly constants: ReadonlyMap<string, readonly DefinedConstants[]>;
  readonly tags: ReadonlyMap<string, Tags>;
}

type CatalogColumnRow = readonly [
  name: string,
  number: number,
  type: number,
  textual: boolean,
  generated: string | null,
  byDefault: string | null,
  refers: readonly (readonly [relation: number, number: number])[] | null,
];

function constantsByRelation(rows: readonly Row[]): ReadonlyMap<string, readonly DefinedConstants[]> {
  const found = new Map<string, DefinedConstants[]>();
  for (const { relation, columns, text, values } of rows) {
    const list = found.get(relation ?? '') ?? [];
    found.set(relation ?? '', list);
    list.push({ columns: JSON.parse(columns ?? '[]') as number[], text: text ?? '', values: values === 'true' });
  }
  return found;
}

type Tags = NonNullable<CatalogColumn['tags']>;

function tagsByColumn(rows: readonly Row[]): Map<string, Tags> {
  const found = new Map<string, Tags>();
  for (const { oid, number, place, text } of rows) {
    const key = `${oid}.${number}`;
    found.set(key, [...(found.get(key) ?? []), { in: place === 'comment' ? 'comment' : 'label', text: text ?? '' }]);
  }
  return found;
}

type TriggerRow = [called: number, given: string | null, type: number, old: string | null, new: string | null];

function relationOf(row: Row, known: KnownParts): CatalogRelation {
  const columns = JSON.parse(known.columns.get(row.oid) ?? '[]') as CatalogColumnRow[];
  return {
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    columns: columns.map(([name, number, type, textual, generated, byDefault, refers]) => ({
      name,
      number,
      type,
      textual,
      ...(generated === null ? {} : { generated }),
      ...(byDefault === null ? {} : { byDefault }),
      ...(refers === null ? {} : { refers: refers.map(([relation, other]) => baseColumn(relation, other)) }),
      ...taggedWith(known.tags.get(`${row.oid}.${number}`)),
    })),
    ...(row.definition === null || row.definition === undefined ? {} : { definition: row.definition }),
    children: JSON.parse(row.children ?? '[]') as number[],
    secured: row.secured === 't',
    policyReads: JSON.parse(row.looks_at ?? '[]') as [number, number][],
    constants: known.constants.get(row.oid ?? '') ?? [],
    behind: JSON.parse(known.behind.get(row.oid) ?? '[]') as number[],
    triggers: row.triggers !== null && row.triggers !== undefined,
    triggerCalls: (JSON.parse(row.triggers ?? '[]') as TriggerRow[]).map(([called, given, type, ...tables]) => ({
      function: called,
      rewrites: type > 0,
      // each ends with a zero byte
      given: (given ?? '').split('\\000').slice(0, -1),
      transitionTables: tables.flatMap((name) => name ?? []),
    })),
    rewritten: new Set(
      (JSON.parse(row.rewriting ?? '[]') as number[]).flatMap((events) => [
        ...(events & 4 ? (['insert'] as const) : []),
        ...(events & 16 ? (['update'] as const) : []),
      ]),
    ),
    rules: row.rules !== null && row.rules !== undefined,
    ruleTexts: (JSON.parse(row.rules ?? '[]') as (string | null)[]).map((text) => text ?? ''),
  };
}

function taggedWith(tags: Tags | undefined): { readonly tags?: Tags } {
  return tags === undefined ? {} : { tags };
}
