/** A transcript of a real run, changed in the bucket by whoever can write there: `verify` says so. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { developer, script, sessionOf } from '../e2e/developer.js';

const { run, workspace } = await developer(t);
const ran = await run(
  script("await attempt('create table notes (id int)'); return attempt('select 41 + 1 as answer');"),
);
const sid = sessionOf(ran.stderr);
const files = readdirSync(workspace.bucket, { recursive: true, encoding: 'utf8' })
  .map((name) => join(workspace.bucket, name))
  .filter((path) => path.includes(sid) && statSync(path).isFile())
  .sort();
for (const path of files) chmodSync(path, 0o600);

const verify = () => workspace.dbguard(['transcripts', 'verify', sid]);

t.test('as it was written', async (t) => {
  t.match(await verify(), { exitCode: 0, stdout: /^PROVEN$/m });
});

for (const path of files) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const packed = readFileSync(path);
  const plain = gunzipSync(packed);
  // a byte near the beginning, the middle and the end of the text, and one of the packed bytes
  const places = [20, plain.length >> 1, plain.length - 20];
  t.test(`one byte changed in ${name}`, async (t) => {
    for (const place of places) {
      const changed = Buffer.from(plain);
      changed[place] = (changed[place] ?? 0) ^ 1;
      writeFileSync(path, gzipSync(changed));
      const { exitCode, stdout } = await verify();
      t.equal(exitCode, 1, `byte ${place}: ${stdout}`);
    }
    const broken = Buffer.from(packed);
    const middle = broken.length >> 1;
    broken[middle] = (broken[middle] ?? 0) ^ 1;
    writeFileSync(path, broken);
    // what cannot be unpacked may be a stranger's object: the session is not whole without it
    const { exitCode, stdout } = await verify();
    t.not(exitCode, 0, 'a packed byte');
    t.notMatch(stdout, /^PROVEN$/m);
    writeFileSync(path, packed);
  });
}

t.test('and as it was again', async (t) => {
  t.equal((await verify()).exitCode, 0);
});
