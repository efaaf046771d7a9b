/** Whatever a transcript can say is in a view, or is left out by name. */
import t from 'tap';
import { shownColumns, storedColumns, viewNames } from '../../../src/review/views/duckdb-sql.js';
import { sessionColumns } from '../../../src/review/views/session-columns.js';
import { entryViewNames, entryViews, withoutView } from '../../../src/review/views/view-table.js';
import { disclosable, entryFields } from '../../../src/transcript/entry-fields.js';

/** Fields that are no column, and why. */
const leftOut: Readonly<Record<string, string>> = {
  'statement.text': 'sql has what it refers to',
  'statement.hex': 'of bind: which of its texts are bytes',
  'statement.facts': 'commands, effects, tables, ...',
  'statement.hidden': 'hidden says that there is one',
  'statement.sql': 'sql, also where an earlier entry discloses it',
  'verdict.shown': 'a digest of a screen',
  'outcome.rows': 'row_count',
  'outcome.tags': 'row_count counts all',
  'outcome.tx': 'of the statement',
};

t.test('every kind of entry has a view, or a reason', (t) => {
  const covered = [...entryViewNames.flatMap((name) => entryViews[name].kinds), ...Object.keys(withoutView)];
  t.strictSame([...covered].sort(), Object.keys(entryFields).sort());
  t.end();
});

t.test('every field and every disclosure of such an entry is a column, or is left out by name', (t) => {
  for (const name of entryViewNames) {
    const { kinds, columns } = entryViews[name];
    const sources = new Set<string>(
      columns.map(({ from }) => ('field' in from ? from.field : 'disclosed' in from ? from.disclosed : '')),
    );
    for (const kind of kinds) {
      for (const field of [...Object.keys(entryFields[kind]), ...Object.keys(disclosable[kind] ?? {})]) {
        const there = sources.has(field) || `${kind}.${field}` in leftOut;
        t.ok(there, `${kind}.${field}: a column of ${name}, or a row of leftOut`);
        t.notOk(sources.has(field) && `${kind}.${field}` in leftOut, `${kind}.${field} is one of the two`);
      }
    }
  }
  t.end();
});

t.test('no view has a name twice, and every column has words', (t) => {
  for (const view of viewNames) {
    for (const columns of [shownColumns(view), storedColumns(view)]) {
      const names = columns.map(({ name }) => name);
      t.strictSame(names, [...new Set(names)], view);
      for (const { name, words } of columns) {
        t.match(name, /^[a-z][a-z_]*$/);
        t.ok(words.length > 2, `${view}.${name}`);
      }
    }
  }
  t.ok(sessionColumns.length > 20);
  t.end();
});
