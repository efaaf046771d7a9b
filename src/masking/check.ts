/**
 * A policy of masks held against a live catalog: which columns it means, what else carries their values, which code
 * cannot be followed, what matches nothing. Pure; nothing is read from any table.
 */
import { didYouMean } from '../policy/did-you-mean.js';
import { aggregatesShown } from '../policy/mask-aggregates.js';
import { revealedBy } from '../policy/mask-kinds.js';
import { matchName } from '../policy/name-pattern.js';
import type { MaskDeclaration } from '../policy/read-mask.js';
import type { UnmaskRule } from '../policy/read-unmask.js';
import type { Place } from '../policy/yaml-source.js';
import type { Grammar } from '../sql/grammar/grammar.js';
import { LineageAnalyser } from '../sql/lineage/analyser.js';
import { anyColumn, type Flow, type LineageCatalog } from '../sql/lineage/catalog.js';
import { isValidFor } from './kinds/table.js';
import { MaskedColumns } from './masked-columns.js';

/** A function or procedure of the application's own. */
export interface CallableCode {
  readonly schema: string;
  readonly name: string;
  /** How many arguments a call gives it. */
  readonly arguments: number;
  readonly isProcedure: boolean;
}

export interface CheckedColumn {
  /** `schema.table.column` */
  readonly column: string;
  readonly with: string;
  /** What an agent would see. */
  readonly sees: string;
  /** What makes it of other masked columns; absent where it is declared. */
  readonly by?: string;
}

export interface CheckedFunction {
  readonly function: string;
  readonly sees: string;
}

export interface UnmatchedName {
  readonly place: Place;
  readonly name: string;
  readonly guess?: string;
}

export interface MaskCheck {
  readonly columns: readonly CheckedColumn[];
  /** Columns of views that carry a masked one. */
  readonly views: readonly CheckedColumn[];
  /** Functions that return or write masked values, or that nobody can follow. */
  readonly functions: readonly CheckedFunction[];
  /** A trigger or rule notifies with masked values. */
  readonly notifies: boolean;
  /** Names of the policy that mean no column: a typo protects nothing. */
  readonly unmatched: readonly UnmatchedName[];
}

export interface CheckInput {
  /** Those that hold for whoever is meant. */
  readonly declarations: readonly MaskDeclaration[];
  /** All of them, for whomever. */
  readonly named: readonly Pick<MaskDeclaration | UnmaskRule, 'column' | 'place'>[];
  readonly catalog: LineageCatalog;
  readonly grammar: Grammar;
  readonly code: readonly CallableCode[];
  /** Of a fresh session. */
  readonly searchPath: readonly string[];
}

export function checkMasks({ declarations, named, catalog, grammar, code, searchPath }: CheckInput): MaskCheck {
  const analyser = new LineageAnalyser(grammar);
  const masked = new MaskedColumns(declarations, catalog, analyser.derived(catalog));
  const none = { get: () => undefined, add: () => undefined };
  const lineageOf = (sql: string) => analyser.analyse(sql, searchPath, catalog, none)?.[0];
  const masking = (flow: Flow): string[] =>
    masked.in(flow).map(({ relation, column }) => `${relation.schema}.${relation.name}.${column.name}`);

  const columns = [...masked.all()].map(({ relation, column, mask, aggregates, by }): CheckedColumn => {
    const valid = isValidFor(mask, { oid: column.type, textual: column.textual });
    const value =
      mask.kind === 'null' ? 'NULL' : valid ? revealedBy(mask) : `NULL: ${mask.kind} has no form for its type`;
    const sees = [value, aggregatesShown(aggregates)].filter(Boolean).join('; ');
    return {
      column: `${relation.schema}.${relation.name}.${column.name}`,
      with: mask.kind,
      sees,
      ...(by === undefined ? {} : { by }),
    };
  });

  const views: CheckedColumn[] = [];
  for (const relation of catalog.relations()) {
    if (relation.definition === undefined) continue;
    const lineage = lineageOf(`SELECT * FROM ${quoted(relation.schema)}.${quoted(relation.name)}`);
    for (const [at, { name }] of relation.columns.entries()) {
      const column = lineage?.output.columns?.[at];
      const flow = column?.flow ?? lineage?.output.all ?? new Set([anyColumn]);
      const sources = masked.in(flow);
      const [source] = sources;
      if (source === undefined && !flow.has(anyColumn)) continue;
      const asIs = column?.direct === true && sources.every(({ mask }) => mask.kind === source?.mask.kind);
      views.push({
        column: `${relation.schema}.${relation.name}.${name}`,
        with: asIs && source ? source.mask.kind : 'null',
        sees: asIs && source && source.mask.kind !== 'null' ? revealedBy(source.mask) : 'NULL',
        by: masking(flow)[0] ?? 'what cannot be followed',
      });
    }
  }

  const functions = code.flatMap((one): CheckedFunction[] => {
    const call = `${quoted(one.schema)}.${quoted(one.name)}(${Array.from({ length: one.arguments }, () => 'NULL').join(', ')})`;
    const lineage = lineageOf(one.isProcedure ? `CALL ${call}` : `SELECT ${call}`);
    const flows = [lineage?.output.all, ...(lineage?.sinks.map(({ flow }) => flow) ?? [])];
    const name = `${one.schema}.${one.name}`;
    if (lineage === undefined || flows.some((flow) => flow?.has(anyColumn))) {
      return [{ function: name, sees: 'cannot be followed: NULL, or denied where it may write' }];
    }
    const leaks = lineage.sinks.some(({ flow, into }) => masking(flow).length > 0 && !(into && masked.get(into)));
    if (leaks) return [{ function: name, sees: 'would write masked values: denied' }];
    const [source] = masking(lineage.output.all);
    return source === undefined ? [] : [{ function: name, sees: `NULL: returns ${source}` }];
  });

  return { columns, views, functions, notifies: masked.exported, unmatched: unmatched(named, catalog) };
}

function unmatched(named: CheckInput['named'], catalog: LineageCatalog): UnmatchedName[] {
  const all = [...catalog.relations()].flatMap(({ schema, name, columns }) =>
    columns.map((column) => [schema, name, column.name] as const),
  );
  return named
    .filter(({ column }) => !all.some((name) => matchName(column, name) === 'yes'))
    .map(({ place, column }) => {
      const parts = column.parts.length;
      const guess = didYouMean(column.parts.join('.'), new Set(all.map((name) => name.slice(3 - parts).join('.'))));
      return { place, name: column.text, ...(guess === undefined ? {} : { guess }) };
    });
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
