/**
 * How every command looks: on a narrow terminal and a wide one, without colours, without a cursor, in the locale C, and in a
 * pipe. A command that is in no row here fails.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { stringify } from 'yaml';
import { printOnlyText } from '../../src/cli/print/printable-output.js';
import { runCli } from '../../src/cli/run-cli.js';
import { commandEntries, groupSummaries } from '../../src/cli/table.js';
import { openBucket } from '../../src/io/bucket/open.js';
import { textWidth } from '../../src/ui/character-width.js';
import { startPostgres } from '../helpers/postgres.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';

const workspace = makeWorkspace();
const postgres = await startPostgres();
t.teardown(async () => {
  await postgres.stop();
  workspace.remove();
});
await postgres.query('CREATE TABLE customers (id int PRIMARY KEY, email text, national_insurance_number text)');
await postgres.query('CREATE ROLE agent LOGIN CREATEROLE');
const issuer = await testIssuer();
const { project, bucket } = workspace;
const session = record(await issuer.login('ada'), { statements: 20 });
const opened = await openBucket({ kind: 'file', path: bucket }, { env: {} });
for (const { key, bytes } of objectsOf(session, 0)) await opened.create(key, bytes);
const config = {
  version: 1,
  bucket: `file:${bucket}`,
  connections: { main: { url: postgres.url(), environment: 'development' } },
  mask: [{ column: 'customers.email', with: 'null' }],
};
writeFileSync(join(project, 'dbguard.yaml'), stringify(config));
writeFileSync(join(project, 'keys.json'), JSON.stringify(issuer.keys));
writeFileSync(join(project, 'tests.sql'), '-- deny\nDROP TABLE customers;\n-- allow\nSELECT 1;\n');
mkdirSync(join(project, 'elsewhere'));
const known = ['--keys', 'keys.json'];
const reader = ['--issuer', issuerUrl, '--client-id', clientId];

/** What is typed behind the command; several command lines where it has several faces. */
const rows: Readonly<Record<string, readonly (readonly string[])[]>> = {
  status: [[]],
  init: [
    ['--force', '--config-nothing'],
    ['--url', 'nonsense'],
  ],
  doctor: [[]],
  trust: [['--yes']],
  login: [['--issuer', 'http://127.0.0.1:1', '--client-id', 'x']],
  mark: [[]],
  logout: [[]],
  whoami: [[]],
  run: [['--', 'no-such-program']],
  proxy: [['--listen', '0.0.0.0:1']],
  serve: [[]],
  token: [[]],
  deploy: [['nowhere']],
  approvals: [['--list'], ['--follow']],
  approve: [['zz']],
  deny: [['zz']],
  explain: [['DELETE FROM customers; DROP TABLE customers'], ['VACUUM']],
  'policy test': [['tests.sql']],
  'policy lint': [[]],
  'mask check': [['--connection', 'main']],
  'mask suggest': [['--connection', 'main']],
  'access check': [['--connection', 'main']],
  'access grant': [['customers']],
  'access list': [[]],
  'access end': [['zz']],
  review: [[]],
  'transcripts list': [[], reader],
  'transcripts show': [[session.sid, ...known]],
  'transcripts replay': [[session.sid, ...known]],
  'transcripts verify': [
    [session.sid, ...known],
    ['--all', ...known],
    [session.sid, '--offline'],
  ],
  'transcripts page': [['zz']],
  'transcripts check-bucket': [['--read-only']],
  'transcripts search': [['select'], ['nothing-like-it']],
  'transcripts export': [[]],
  'transcripts follow': [['--every', 'x']],
  'transcripts redact': [[session.sid]],
  'transcripts reconcile': [['nowhere.log']],
  'transcripts archive-keys': [['file:./archive']],
  'transcripts revoke-key': [[]],
  upload: [[]],
  completions: [[], ['tcsh']],
  version: [[], ['--verify']],
};

/** Their output is for programs, or a file's text. */
const forPrograms: Readonly<Record<string, string>> = {
  mcp: 'speaks a protocol',
  hook: 'speaks a protocol',
  'policy schema': 'a schema',
  'transcripts query': 'a table as wide as its values',
  'transcripts report': 'a document',
  'access setup': 'SQL',
  'transcripts ddl': 'SQL',
  instructions: 'the text of a file',
};

const esc = '\u001b';
const styled = new RegExp(`${esc}\\[[\\d;]*m`);

interface Look {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const looks: Readonly<Record<string, Look>> = {
  'a narrow terminal of the locale C, without colours': { columns: 60, env: { LANG: 'C', NO_COLOR: '1' } },
  'a terminal without a cursor': { columns: 80, env: { TERM: 'dumb' } },
  'a wide terminal': { columns: 200, env: { TERM: 'xterm-256color' } },
  'a pipe': {},
};

async function printed(args: readonly string[], { columns, env = {} }: Look): Promise<string> {
  const all: NodeJS.ProcessEnv = { ...workspace.env, PAGER: 'cat', ...env };
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  for (const stream of [stdout, stderr]) {
    if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
    printOnlyText(stream as unknown as NodeJS.WriteStream, all);
  }
  const written = [text(stdout), text(stderr)];
  await runCli(args, { stdin, stdout, stderr, env: all, cwd: project });
  stdout.end();
  stderr.end();
  return (await Promise.all(written)).join('');
}

/** Longer than the terminal is wide although a blank could have ended it earlier. */
function tooWide(output: string, columns: number): string[] {
  return stripVTControlCharacters(output)
    .split(/\r?\n|\r/)
    .filter(
      (line) =>
        textWidth(line) > columns &&
        line
          .trim()
          .split(/\s+/)
          .every((word) => textWidth(word) < columns - 30),
    );
}

t.test('every command is in a row', async (t) => {
  const here = [...Object.keys(rows), ...Object.keys(forPrograms)];
  t.strictSame(
    commandEntries.map(({ path }) => path).filter((path) => !here.includes(path)),
    [],
  );
  t.strictSame(
    here.filter((path) => !commandEntries.some((entry) => entry.path === path)),
    [],
  );
});

const helps = [
  [],
  ...[...commandEntries.map(({ path }) => path), ...Object.keys(groupSummaries)].map((path) => path.split(' ')),
];
/** Help is laid out for a width, and says the same in each. */
const lines = (look: Look) => [
  ...Object.entries(rows).flatMap(([path, faces]) => faces.map((words) => [...path.split(' '), ...words])),
  ...(look.columns === 60 ? helps.map((path) => [...path, '--help']) : []),
];

for (const [name, look] of Object.entries(looks))
  t.test(name, async (t) => {
    const { columns, env = {} } = look;
    for (const args of lines(look)) {
      const output = await printed(args, look);
      const command = args.join(' ').slice(0, 60);
      t.not(output, '', command);
      if (columns !== undefined) t.strictSame(tooWide(output, columns), [], command);
      if (columns === undefined || env.TERM === 'dumb') t.notMatch(output, esc, command);
      if (env.NO_COLOR) t.notMatch(output, styled, command);
      if (env.LANG === 'C') t.strictSame([...output].filter((sign) => sign > '~').join(''), '', command);
    }
  });

t.test('nothing of this has changed the project', async (t) => {
  t.equal(readFileSync(join(project, 'dbguard.yaml'), 'utf8'), stringify(config));
});
