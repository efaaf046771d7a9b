/**
 * What `verify <id>` learns from the sessions around one is what `verify --all` says of it, whatever was done to the bucket.
 */

import { join } from 'node:path';
import { test } from 'tap';
import { listSessions } from '../../src/review/catalog.js';
import { compareWithNeighbours } from '../../src/review/neighbours.js';
import { verifyAll } from '../../src/review/verify-all.js';
import type { VerifyOptions } from '../../src/review/verify-options.js';
import { verifySession } from '../../src/review/verify-session.js';
import type { Finding } from '../../src/transcript/finding.js';
import { clientId } from '../transcript/people.js';
import { castAt, Scene, tamperings } from './tamperings.js';
import { folderVault } from './vaults.js';

const cast = await castAt(Date.UTC(2026, 10, 23, 12));

test('each row of the table: one session among the others, and all of them', async (t) => {
  const root = t.testdir();
  let compared = 0;
  for (const [n, row] of tamperings.entries()) {
    if (row.versions) continue;
    const scene = new Scene(cast);
    row.change(scene);
    const { bucket } = await folderVault(join(root, String(n)));
    await scene.store(await folderVault(join(root, String(n))));
    const { retentionDays } = scene;
    const options: VerifyOptions & { source: typeof bucket } = {
      source: bucket,
      keys: { keysOf: async () => [{ ...cast.issuer.keys, origin: 'test' }] },
      demands: { clientId },
      now: scene.now,
      ...(retentionDays === undefined ? {} : { retentionDays }),
    };
    const beside: Finding[] = [];
    await verifyAll({ ...options, onReport: () => undefined, onFinding: (finding) => beside.push(finding) });
    for await (const session of listSessions(bucket)) {
      if (session.segments.length === 0) continue;
      const found = await compareWithNeighbours(session, await verifySession(session, options), options);
      const said = beside.filter(({ code, message }) => code.startsWith('session-') && message.includes(session.sid));
      // of a session of that name in the folder of whoever says so
      const isElsewhere = (message: string) => message.startsWith(`session ${session.sid} is missing`);
      const known = said.filter(
        ({ code, message }) => code !== 'session-expected' && !isExpiring(said, code) && !isElsewhere(message),
      );
      const words = (all: readonly Finding[]) => all.map(({ severity, message }) => `${severity}: ${message}`).sort();
      t.strictSame(words(found), words(known), `${row.name}: ${session.sid}`);
      compared += found.length;
    }
  }
  t.ok(compared > 15, `${compared} findings were compared`);
});

/** A session that is expiring is verified by nobody, but for whoever asks for it by name. */
function isExpiring(said: readonly Finding[], code: string): boolean {
  return code === 'session-expired' && said.some(({ message }) => message.includes('is expiring'));
}
