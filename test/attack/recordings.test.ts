/**
 * What a recording holds is what the client was shown, masks applied, in every way in which an answer can come; nobody
 * reads it without a key, and nothing of it was in the clear on the disk.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import type { ShownAnswer } from '../../src/review/recorded-results.js';
import { decryptionWith } from '../../src/transcript/age/age.js';
import { readIdentities } from '../../src/transcript/age/identities.js';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { readBack } from '../helpers/recordings.js';
import { newSshKey } from '../helpers/ssh-key.js';
import { Client } from '../helpers/wire-client.js';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  functionCall,
  parse,
  query,
  run,
  sync,
} from '../helpers/wire-messages.js';

const secret = 'sekrit-4711';
const maxRows = 7;

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE people (id int PRIMARY KEY, name text, ssn text, born timestamptz, small numeric, blob bytea);
  INSERT INTO people SELECT n, 'name ' || n, '${secret}-' || n, '2001-02-03 04:05:06.789Z', n / 8.0, decode('00ff', 'hex')
    FROM generate_series(1, 20) n;
  CREATE FUNCTION tell() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'told'; RETURN 1; END $$;
`);

const age = await generateX25519Identity();
const ssh = newSshKey();
const folder = t.testdir();

/** Each a way in which rows reach a client; several statements may be under way at once. */
const dialogues: Readonly<Record<string, readonly Buffer[]>> = {
  'a simple query': [query('SELECT id, name, ssn FROM people WHERE id < 4 ORDER BY id')],
  'several results': [
    query('SELECT id FROM people WHERE id = 1; SELECT ssn, NULL AS nothing FROM people WHERE id = 2'),
  ],
  'more rows than are recorded': [query('SELECT name FROM people ORDER BY id')],
  'masked rows, more than are recorded': [query('SELECT ssn, name FROM people ORDER BY id')],
  'a long value': [query("SELECT repeat('x', 1500000)")],
  'the extended protocol': [Buffer.concat([run('SELECT id, ssn, name FROM people WHERE id < 3'), sync()])],
  'binary values': [
    Buffer.concat([
      parse('SELECT id, born, small, blob, name, ssn FROM people WHERE id = 5'),
      bind([], { resultFormats: [1] }),
      ...[describePortal(), execute(), sync()],
    ]),
  ],
  'one column in binary': [
    Buffer.concat([
      parse('SELECT id, name FROM people WHERE id = 6'),
      bind([], { resultFormats: [1, 0] }),
      execute(),
      sync(),
    ]),
  ],
  'described before': [
    Buffer.concat([parse('SELECT name, ssn FROM people WHERE id = $1', { name: 'p' }), describeStatement('p'), sync()]),
    Buffer.concat([bind(['1'], { statement: 'p' }), execute(), bind(['2'], { statement: 'p' }), execute(), sync()]),
  ],
  'a few rows at a time': [
    query('BEGIN'),
    Buffer.concat([
      parse('SELECT id, ssn FROM people ORDER BY id LIMIT 5'),
      bind(),
      execute('', 2),
      execute('', 2),
      sync(),
    ]),
    query('COMMIT'),
  ],
  'a cursor': [query('BEGIN; DECLARE c CURSOR FOR SELECT name FROM people ORDER BY id; FETCH 2 FROM c; COMMIT')],
  'COPY as text': [query('COPY (SELECT id, name FROM people ORDER BY id LIMIT 3) TO STDOUT')],
  'COPY of what is masked': [query('COPY (SELECT id, ssn FROM people ORDER BY id LIMIT 3) TO STDOUT CSV')],
  'COPY in binary': [query('COPY (SELECT id, name FROM people ORDER BY id LIMIT 2) TO STDOUT BINARY')],
  'an error': [query('SELECT id / 0 FROM people')],
  'an error behind rows': [query('SELECT 10 / (3 - id) FROM people ORDER BY id')],
  'an error that would tell': [query('INSERT INTO people SELECT id, name, ssn FROM people WHERE id = 1')],
  'a notice': [query('SELECT tell()')],
  'rows of a write': [query("UPDATE people SET name = 'x' WHERE id = 7 RETURNING id, name, ssn")],
  'what is no UTF-8': [
    query("SET client_encoding = 'LATIN1'; SELECT 'caf\u00e9' AS word"),
    query("SET client_encoding = 'UTF8'"),
  ],
};

/** What of it a client shows, a line each. */
function heardBy(client: Client, from: number): string[] {
  return client.heard.slice(from).flatMap(({ type, body }) => {
    if (type === 'D') return [JSON.stringify(cellsOf(body))];
    if (type === 'd') return [`copy ${body.toString('hex')}`];
    return type === 'E' || type === 'N' ? [fieldOf(body, 'M')] : [];
  });
}

function cellsOf(body: Buffer): (string | null)[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE() }, () => {
    const length = body.readInt32BE(at);
    const cell = length < 0 ? null : body.toString('hex', at + 4, at + 4 + length);
    at += 4 + Math.max(length, 0);
    return cell;
  });
}

function fieldOf(body: Buffer, code: string): string {
  const field = body
    .toString('utf8')
    .split('\0')
    .find((one) => one.startsWith(code));
  return field?.slice(1) ?? '';
}

/** Rows alone, as the recording has them before anything is read into their bytes. */
function recordedLines(lines: readonly unknown[]): string[] {
  const hex = (cell: unknown): string | null =>
    cell === null ? null : typeof cell === 'string' ? Buffer.from(cell).toString('hex') : (cell as { hex: string }).hex;
  return lines.flatMap((line) => {
    const {
      rows,
      lines: copied,
      message,
    } = line as { rows?: unknown[][]; lines?: unknown[]; message?: { message: string } };
    if (rows) return rows.map((row) => JSON.stringify(row.map(hex)));
    if (copied) return copied.map((one) => `copy ${hex(one)}`);
    return message ? [message.message] : [];
  });
}

t.test('a recording is what the client saw', async (t) => {
  const guarded = await startProxyProcess(server, {
    policy: { profile: 'observe' },
    config: { mask: [{ column: 'people.ssn', with: 'fixed', value: 'hidden' }] },
    connection: {
      record: {
        results: 'masked',
        max_rows: maxRows,
        keep: '90d',
        encrypt_to: [await identityToRecipient(age), ssh.publicLine],
      },
    },
  });
  const client = await Client.open({ ...guarded });
  await client.logIn();
  const heard = new Map<string, string[]>();
  for (const [name, messages] of Object.entries(dialogues)) {
    const from = client.heard.length;
    for (const one of messages) {
      await client.send(one);
      t.ok(await client.hears('Z', 1), name);
    }
    heard.set(name, heardBy(client, from));
  }
  await client.send(Buffer.concat([functionCall(2026, []), sync()]));
  await client.hears('E', 1);
  await client.hangUp();
  const { bucket } = guarded.workspace;
  const files: Record<string, Buffer> = {};
  const open = await decryptionWith(readIdentities(ssh.privateFile, 'reader'));
  const others = await decryptionWith(readIdentities(await generateX25519Identity(), 'another'));
  const keep = (): void => {
    for (const path of readdirSync(bucket, { recursive: true, encoding: 'utf8' }))
      if (path.endsWith('.gz') || path.endsWith('.age')) files[path] = readFileSync(join(bucket, path));
  };
  const left = join(folder, 'bucket');
  await guarded.stop(() => {
    keep();
    cpSync(bucket, left, { recursive: true });
  });
  const sessions = await Promise.all([
    readBack(left, guarded.session, open),
    readBack(left, guarded.session, await decryptionWith(readIdentities(age, 'age'))),
    readBack(left, guarded.session),
    readBack(left, guarded.session, others),
  ]);
  const [bySsh, byAge, without, stranger] = sessions;
  if (!bySsh || !byAge || !without || !stranger) return t.fail('no session');

  t.strictSame(byAge.answers.all, bySsh.answers.all, 'either key opens it');
  const chunks = await bySsh.chunks('results');
  const lines = chunks.flatMap((chunk) => (chunk.state === 'read' ? chunk.lines : []));
  const perStatement = new Map<number, string[]>();
  for (const line of lines) {
    const { of } = line as { of: number };
    perStatement.set(of, [...(perStatement.get(of) ?? []), ...recordedLines([line])]);
  }
  const statements = bySsh.entries.filter(({ k }) => k === 'statement');
  let next = 0;
  for (const [name, shown] of heard) {
    const recorded: string[] = [];
    const isRow = (line: string): boolean => line.startsWith('[') || line.startsWith('copy');
    // statements of one dialogue stand side by side
    while (next < statements.length) {
      const of = statements[next]?.n ?? -1;
      const mine = perStatement.get(of) ?? [];
      const fits = mine.every((line) => shown.includes(line));
      if (!fits) break;
      next++;
      recorded.push(...mine);
    }
    const wanted = shown.filter(isRow).slice(0, maxRows);
    if (name === 'a long value') t.strictSame(recorded.filter(isRow), [], `${name} is left out`);
    else if (name !== 'several results') t.strictSame(recorded.filter(isRow).slice(0, maxRows), wanted, name);
    t.ok(
      recorded.every((line) => shown.includes(line)),
      `${name}: nothing that the client did not see`,
    );
  }

  const all = JSON.stringify(lines);
  t.notMatch(all, secret, 'a masked value is in no recording');
  t.match(all, /hidden/, 'and what stands in its place is');
  const cuts = bySsh.answers.all.filter(({ cut }) => cut !== undefined).map(({ cut }) => cut);
  t.ok(cuts.includes('rows') && cuts.includes('bytes'), 'what was left out is said');
  const binary = bySsh.answers.all.find(({ results }) => results[0]?.columns?.some(({ name }) => name === 'blob'));
  t.strictSame(shape(binary), [
    ['int4', '5'],
    ['timestamptz', '2001-02-03 04:05:06.789+00'],
    ['numeric', '0.62500000000000000000'],
    ['bytea', '\\x00ff'],
    ['text', 'name 5'],
    ['text', 'hidden'],
  ]);

  t.ok(
    (await without.chunks('results')).every(({ state }) => state === 'sealed'),
    'nobody reads it without a key',
  );
  t.ok(
    (await stranger.chunks('results')).every(({ state }) => state === 'sealed'),
    'or with another one',
  );
  t.strictSame(without.entries, bySsh.entries, 'who has none sees everything else');
  t.strictSame(without.report, bySsh.report);
  const names = Object.keys(files).filter((path) => path.startsWith('recordings/'));
  t.ok(names.length > 0 && names.every((path) => /^recordings\/90d\/.*\.age$/.test(path)), names.join());
  for (const [path, bytes] of Object.entries(files)) {
    if (path.startsWith('recordings/')) t.equal(bytes.toString('latin1', 0, 21), 'age-encryption.org/v1', path);
  }
});

function shape(answer: ShownAnswer | undefined): (readonly [string, string | null])[] {
  const [result] = answer?.results ?? [];
  return result?.columns?.map(({ type }, at) => [type, result.rows[0]?.[at] ?? null] as const) ?? [];
}
