/**
 * The views as external tables over the objects themselves, for engines that outgrow a laptop. They hold what a line says, by the
 * same table of columns; nothing in them is verified, and what only dbguard's reading makes is not there.
 */
import type { ColumnType, Source } from './column.js';
import { type DdlType, type Dialect, dialects, type ObjectsPlace } from './ddl-dialects.js';
import type { EngineName } from './ddl-engines.js';
import { sessionColumns } from './session-columns.js';
import { type EntryViewName, entryViewNames, entryViews } from './view-table.js';

const caution = (engine: EngineName): string =>
  [
    `-- dbguard transcripts, external tables for ${engine}.`,
    '-- NOT VERIFIED: these rows are what the objects say. Whoever may write to the bucket can make them say anything.',
    '-- "dbguard transcripts verify --all" says what holds; "dbguard transcripts export --parquet" writes rows that were verified.',
    '-- A text that stands in an earlier entry of its session is named by "text", the number of that entry.',
  ].join('\n');

export function ddlFor(engine: EngineName, place: ObjectsPlace): string {
  const dialect = dialects[engine];
  const sessions = `${dialect.createView('dbguard_sessions')}\n${select(dialect, sessionSources(), 'e', "e.k = 'open'")}`;
  const views = entryViewNames.map((view) => `${dialect.createView(`dbguard_${view}`)}\n${entrySelect(dialect, view)}`);
  return `${[caution(engine), ...dialect.tables(place, typedFields()), sessions, ...views].join(';\n\n').replace(/^((?:--.*\n)*--.*);/, '$1')};\n`;
}

interface Named {
  readonly name: string;
  readonly type: DdlType;
  readonly from: Source;
}

function sessionSources(): Named[] {
  return sessionColumns.flatMap(({ name, type, from }): Named[] => {
    if ('open' in from) return [{ name, type, from: { field: from.open, ...(from.unit ? { unit: from.unit } : {}) } }];
    return 'object' in from ? [{ name, type, from }] : [];
  });
}

function entrySources(view: EntryViewName): Named[] {
  const own = entryViews[view].columns.filter(({ from }) => !('reading' in from));
  if (view !== 'statements') return own;
  const more: Named[] = [
    { name: 'text', type: 'whole', from: { field: 'text' } },
    { name: 'sql', type: 'text', from: { disclosed: 'sql' } },
    { name: 'facts', type: 'json', from: { field: 'facts' } },
  ];
  return [...own, ...more];
}

function entrySelect(dialect: Dialect, view: EntryViewName): string {
  const ids: Named[] = [
    { name: 'folder', type: 'text', from: { object: 'folder' } },
    { name: 'sid', type: 'text', from: { object: 'sid' } },
  ];
  const kinds = entryViews[view].kinds.map((kind) => `'${kind}'`).join(', ');
  return select(dialect, [...ids, ...entrySources(view)], 'e', `e.k IN (${kinds})`);
}

function select(dialect: Dialect, columns: readonly Named[], of: string, where: string): string {
  const values = columns.map(
    ({ name, type, from }) => `  ${valueIn(dialect, type, from, of)} AS ${dialect.quote(name)}`,
  );
  return `SELECT\n${values.join(',\n')}\nFROM dbguard_lines ${of}\nWHERE ${where}`;
}

function valueIn(dialect: Dialect, type: DdlType, from: Source, of: string): string {
  if ('object' in from) return `${of}.${from.object}`;
  if ('disclosed' in from) return dialect.disclosed(type, from.disclosed, of);
  if (!('field' in from)) throw new TypeError('only dbguard has it');
  const path = from.field.split('.');
  return type === 'time' ? dialect.time(path, from.unit ?? 'us', of) : dialect.field(type, path, of);
}

/** For tables that read an entry's fields by a SerDe: each once, those that are one value. */
function typedFields(): { readonly name: string; readonly type: ColumnType }[] {
  const fields = new Map<string, ColumnType>([
    ['n', 'whole'],
    ['t', 'whole'],
    ['k', 'text'],
  ]);
  for (const view of entryViewNames) {
    for (const { type, from } of entryViews[view].columns) {
      if ('field' in from && !from.field.includes('.') && !fields.has(from.field)) fields.set(from.field, type);
    }
  }
  return [...fields].map(([name, type]) => ({ name, type }));
}
