/** What a verdict binds: who decided, over which bytes, values and screen. From the bucket alone, after a real run. */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { developer, sessionOf } from '../e2e/developer.js';

const { workspace, postgres, terminal } = await developer(t);
await postgres.query('CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)');

const approved = { text: 'DELETE FROM orders WHERE $1 = $1', values: ['x'] };
const denied = { text: 'DELETE FROM orders' };

const agent = `
  const { Client } = require('pg');
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  (async () => {
    await client.connect();
    for (const statement of JSON.parse(process.argv[1])) {
      const said = await client.query(statement).then(({ rowCount }) => 'ran ' + rowCount, (error) => error.message);
      console.log('agent: ' + said);
    }
    await client.end();
  })();`;

const screen = terminal(['run', '--', process.execPath, '-e', agent, JSON.stringify([approved, denied, denied])]);
t.teardown(() => screen.kill());
await screen.shows('No answer denies in');
await screen.hides('Keys count in a moment');
await screen.press('a', 'agent: ran 1');
await screen.shows('No answer denies in');
const listed = await workspace.dbguard(['approvals', '--list']);
const [id = ''] = /\b1-\d+\b/.exec(listed.stdout) ?? [];
const settled = await workspace.dbguard(['deny', id, '--reason', 'name the orders']);
const { code } = await screen.exit;
const said = screen.history().join('\n');
const sid = sessionOf(said);

type Entry = Readonly<Record<string, unknown>> & { readonly c?: Readonly<Record<string, string>> };

interface Line {
  readonly path: string;
  readonly index: number;
  readonly disclosures: readonly string[];
  readonly entry: Entry;
}

/** Every entry of the session as FORMAT.md gives it, and where it stands. */
const lines: readonly Line[] = readdirSync(workspace.bucket, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes(sid) && name.endsWith('.jsonl.gz'))
  .sort()
  .flatMap((name) => {
    const path = join(workspace.bucket, name);
    return textsOf(path).map((text, index) => {
      const [payload = '', ...disclosures] = text.split('\t');
      return { path, index, disclosures, entry: JSON.parse(payload) as Entry };
    });
  })
  .filter(({ entry }) => entry.sig === undefined);
const entries = lines.map(({ entry }) => entry);

function textsOf(path: string): string[] {
  return gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
}

/** Where the text of a statement stands: a Parse that came by itself has an entry of its own. */
const textOf = ({ entry }: Line): Line | undefined => lines.find(({ entry: { n } }) => n === (entry.text ?? entry.n));

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

t.test('what happened', async (t) => {
  t.equal(settled.exitCode, 0, settled.stderr);
  t.equal(code, 0, said);
  t.match(said, 'denied this statement: name the orders');
  t.match(said, /denied this statement: a person denied the same one \d+ s ago \(name the orders\)/);
  t.match(said, /3 statements, 2 asked .*1 answered as before/, 'the third was refused without a question');
});

t.test('each statement that was asked about has one verdict, which binds it', async (t) => {
  const statements = entries.filter(({ k, decision }) => k === 'statement' && decision === 'ask');
  const verdicts = entries.filter(({ k }) => k === 'verdict');
  t.equal(verdicts.length, 3);
  t.strictSame(
    verdicts.map(({ of }) => of),
    statements.map(({ n }) => n),
  );
  t.match(verdicts, [
    { decision: 'allow', by: 'person', channel: 'terminal', scope: 'once', shown: /^[\w-]{43}$/ },
    { decision: 'deny', by: 'person', channel: 'dbguard approvals', shown: /^[\w-]{43}$/ },
    { decision: 'deny', by: 'earlier-denial' },
  ]);
  t.not(verdicts[0]?.shown, verdicts[1]?.shown, 'another screen');
  const first = lines.find(({ entry }) => entry.n === statements[0]?.n);
  const text = first && textOf(first);
  t.match(disclosedBy(text).get('sql'), { value: approved.text, digest: text?.entry.c?.sql });
  t.match(disclosedBy(first).get('bind'), { value: ['x'], digest: first?.entry.c?.bind });
});

t.test('a change to any of it is named', async (t) => {
  const untouched = await workspace.dbguard(['transcripts', 'verify', sid]);
  t.equal(untouched.exitCode, 0, untouched.stdout);
  const verdict = lines.find(({ entry }) => entry.k === 'verdict');
  const statement = lines.find(({ entry }) => entry.n === verdict?.entry.of);
  const text = statement && textOf(statement);
  if (!verdict || !statement || !text) return t.fail('no verdict');
  const changes: [what: string, where: Line, from: string, to: string][] = [
    ['who decided', verdict, '"by":"person"', '"by":"nobody"'],
    ['where', verdict, '"channel":"terminal"', '"channel":"telegram"'],
    ['what was decided', verdict, '"decision":"allow"', '"decision":"abort"'],
    ['what was on the screen', verdict, String(verdict.entry.shown), digest('something else')],
    ['which statement', verdict, `"of":${String(verdict.entry.of)}`, '"of":0'],
    ['the statement', text, 'DELETE FROM orders', 'SELECT FROM orders'],
    ['the values', statement, '["x"]', '["y"]'],
  ];
  const copy = `${workspace.bucket}-changed`;
  for (const [what, { path, index, entry }, from, to] of changes) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(workspace.bucket, copy, { recursive: true, preserveTimestamps: true });
    const copied = path.replace(workspace.bucket, copy);
    const texts = textsOf(copied);
    const changed = texts[index]?.replace(from, to);
    t.not(changed, texts[index], `${what}: it is a change`);
    texts[index] = changed ?? '';
    // what is in a bucket is read-only
    rmSync(copied);
    writeFileSync(copied, gzipSync(`${texts.join('\n')}\n`));
    const { exitCode, stdout } = await workspace.dbguard(['transcripts', 'verify', sid, '--bucket', `file:${copy}`]);
    t.equal(exitCode, 1, what);
    t.ok(namesEntry(stdout, Number(entry.n)), `${what}: ${stdout}`);
  }
  rmSync(copy, { recursive: true, force: true });
});

function disclosedBy(line: Line | undefined): ReadonlyMap<string, { value: unknown; digest: string }> {
  return new Map(
    line?.disclosures.map((text) => {
      const [, name, value] = JSON.parse(text) as [string, string, unknown];
      return [name, { value, digest: digest(text) }] as const;
    }),
  );
}

/** Alone, or in a range: what stands between two signatures is found to be changed, not which byte of it. */
function namesEntry(report: string, n: number): boolean {
  const found = [...report.matchAll(/\b(?:entry|entries) (\d+)(?: to (\d+))?/g)];
  return found.some(
    ([, first, last = first]) => Number(first) <= n && n <= Number(last) && Number(last) - Number(first) < 64,
  );
}
