/** A secret that an agent sends in a statement is in no file of the state folder and the bucket, and on no screen. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { developer, script } from '../e2e/developer.js';
import { unreadable, withSecret } from '../sql/secret-statements.js';

const secret = `Zq7zebra-it's"s\\3cret%otterKj2`;
/** Long enough that no digest, signature or ciphertext has one by chance. */
const pieces = /Zq7zebra|otterKj2|3cret%ott/;
const hex = Buffer.from('Zq7zebra').toString('hex');

const { run, terminal, workspace, postgres } = await developer(t, { config: { policy: { profile: 'guarded' } } });
await postgres.query('create table users (id int, name text, password text, secret text, api_key text)');

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function nothingAtRest(): void {
  const kept = [...files(workspace.home), ...files(workspace.bucket)];
  t.ok(
    kept.some((path) => path.endsWith('.jsonl.gz')),
    'there is a transcript',
  );
  for (const path of kept) {
    const bytes = readFileSync(path);
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    t.strictSame(text.match(/.{0,80}(?:Zq7zebra|otterKj2|3cret%ott).{0,80}/g) ?? [], [], path);
    t.notOk(text.includes(hex), `${path}: in hex`);
  }
}

t.test('sent, refused, failed, prepared and bound', async (t) => {
  const texts = [...Object.values(withSecret), ...unreadable].map((make) => make(secret));
  const { stdout, exitCode } = await run(
    script(`
      const told = [];
      for (const sql of ${JSON.stringify(texts)}) told.push(await attempt(sql));
      const secret = ${JSON.stringify(secret)};
      await attempt("select set_config('app.secret', $1, false)", [secret]);
      await attempt("select set_config($1, $2, false)", ['app.secret', secret]);
      await attempt('update users set password = $1 where id = $2', [secret, 1]);
      await attempt("select $1::text", ['host=h password=' + secret]);
      await attempt({ text: 'update users set password = $1 where id = 1', values: [Buffer.from(secret)] });
      await attempt({ name: 's', text: "select set_config('app.token', $1, false)", values: [secret] });
      await attempt("prepare p(text) as update users set password = $1 where id = 1");
      await attempt("execute p(" + client.escapeLiteral(secret) + ")");
      return told.length;`),
  );
  t.equal(exitCode, 0);
  t.equal(Number(stdout), texts.length);
  nothingAtRest();
});

t.test('a person who is asked sees the statement and not the secret', async (t) => {
  const screen = terminal([
    'run',
    '--',
    ...script(`return attempt("alter role postgres password 'Zq7zebra3cret%otterKj2'")`),
  ]);
  t.teardown(() => screen.kill());
  await screen.shows(/No answer denies in/);
  t.match(screen.text(), /alter role postgres password '<hidden>'/i);
  t.notMatch(screen.text(), pieces);
  // keys count after a moment
  await sleep(1500);
  await screen.press('d', /1 denied/);
  nothingAtRest();
});
