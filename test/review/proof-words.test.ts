/** What the five sentences say where a verdict is neither way: nothing that is not proven reads as if it were. */
import { join } from 'node:path';
import { test } from 'tap';
import { listSessions } from '../../src/review/catalog.js';
import { proofLines } from '../../src/review/proof-words.js';
import { verifySession } from '../../src/review/verify-session.js';
import { castAt, Scene, tamperings } from './tamperings.js';
import { folderVault } from './vaults.js';

const cast = await castAt(Date.UTC(2026, 10, 23, 12));
const keys = { keysOf: async () => [{ ...cast.issuer.keys, origin: 'test' }] };

async function sentences(path: string, name: string): Promise<Record<string, string>> {
  const row = tamperings.find((one) => one.name === name);
  if (row === undefined) throw new RangeError(`no row ${name}`);
  const scene = new Scene(cast);
  row.change(scene);
  const vault = await folderVault(path);
  await scene.store(vault);
  for await (const session of listSessions(vault.bucket)) {
    if (session.sid !== scene.first.sid) continue;
    const report = await verifySession(session, { source: vault.bucket, keys, demands: {}, now: scene.now });
    return Object.fromEntries(proofLines(report).map(({ holds, label, text }) => [label, `${holds}: ${text}`]));
  }
  throw new RangeError('the session is gone');
}

test('texts that somebody took out whom nobody can prove', async (t) => {
  const name = 'a text is taken out, by a redaction of somebody whose issuer’s keys are not at hand';
  const { what = '' } = await sentences(join(t.testdir(), 'a'), name);
  t.match(what, /^unknown: .*texts were taken out, and by whom is not proven/);
  t.notMatch(what, /nothing changed/);
});

test('an end that cannot be told from a stranger’s object', async (t) => {
  const root = t.testdir();
  const changed = await sentences(join(root, 'a'), 'the last segment is junk');
  t.match(changed.whole, /^unknown: .*may be what was made of its end/);
  const cut = await sentences(join(root, 'b'), 'the last segment is gone');
  t.match(cut.whole, /^unknown: .*its end was cut off/);
  t.notMatch(cut.whole, /its key did not sign/);
  const slandered = await sentences(join(root, 'c'), 'junk behind the seal');
  t.match(slandered.whole, /^yes: /, 'behind a seal it says nothing');
});
