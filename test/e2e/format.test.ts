/** FORMAT.md's table of entries against what sessions really hold: a field that it does not name is a field that nobody can read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openBucket } from '../../src/io/bucket/open.js';
import { entriesIn, segmentText } from '../../src/review/read-segment.js';
import { isRecord } from '../../src/transcript/line.js';
import { repositoryRoot } from '../helpers/repository.js';
import { developer, script } from './developer.js';

const format = readFileSync(join(repositoryRoot, 'src/transcript/FORMAT.md'), 'utf8');
const opening = format.slice(format.indexOf('\n### The opening entry\n'), format.indexOf('\n## What has to hold\n'));

/** Names in backquotes and in italics, by kind. */
function documented(): Map<
  string,
  { readonly fields: ReadonlySet<string>; readonly disclosures: ReadonlySet<string> }
> {
  const rows = [...format.matchAll(/^\| `([a-z-]+)` \|.*?\| (.*) \|$/gm)];
  const all = (text: string, pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name = '']) => name));
  return new Map(
    rows.map(([, kind = '', text = '']) => [
      kind,
      { fields: all(text, /`([A-Za-z]+)`/g), disclosures: all(text, /\*([a-z]+)\*/g) },
    ]),
  );
}

const work = script(`
  await attempt('create temp table scratch (id int)');
  await attempt('insert into scratch select generate_series(1, 10)');
  await attempt('select * from scratch where id = $1', [3]);
  await client.query({ name: 'named', text: 'select $1::int', values: [1] });
  await client.query({ name: 'named', text: 'select $1::int', values: [2] });
  await attempt('begin'); await attempt('declare c cursor for select * from scratch'); await attempt('fetch 2 from c'); await attempt('commit');
  await attempt('select 1 / 0'); await attempt('not sql at all'); await attempt('select 1; select 2');
  await attempt('delete from orders'); await attempt('drop table orders'); await attempt('update orders set id = 1 where id = 1');

`);

t.test('every kind, field and disclosure of a real session is in the document', async (t) => {
  const { run, postgres, workspace, config } = await developer(t);
  await postgres.query('create table orders (id int); insert into orders values (1)');
  const rules = [
    // biome-ignore lint/suspicious/noThenProperty: the keyword of a rule
    { name: 'large', when: { effect: 'update', rows: '> 1000' }, then: 'ask' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of a rule
    { name: 'no-drop', when: { effect: 'drop' }, then: 'deny', reason: 'never' },
  ];
  workspace.configure({ ...config, policy: { rules }, mask: [{ column: 'public.orders.id', with: 'null' }] });
  t.match(await run(work), { exitCode: 0 });

  const known = documented();
  const seen = new Set<string>();
  const unknown = new Set<string>();
  const note = (kind: string, what: 'fields' | 'disclosures', name: string) => {
    if (!known.get(kind)?.[what].has(name)) unknown.add(`${kind}: ${what}: ${name}`);
  };
  const bucket = await openBucket({ kind: 'file', path: workspace.bucket }, { env: {} });
  for await (const { key } of bucket.list('v1/')) {
    for (const { entry } of entriesIn(await segmentText(await bucket.read(key)))) {
      const { k, c, fields } = entry;
      seen.add(k);
      for (const [name, value] of Object.entries(fields)) {
        note(k, 'fields', name);
        if (k === 'open' && isRecord(value))
          for (const inner of Object.keys(value)) if (!opening.includes(`\`${inner}\``)) unknown.add(`${k}: ${inner}`);
      }
      for (const name of Object.keys(c)) note(k, 'disclosures', name);
    }
  }
  t.strictSame([...unknown], []);
  for (const kind of ['connection', 'open', 'outcome', 'seal', 'statement', 'verdict']) t.ok(seen.has(kind), kind);
});
