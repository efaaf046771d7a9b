/** Appends and commits until it is killed; tells its parent the number of each acknowledged entry. */

import { sign } from 'node:crypto';
import { openJournal } from '../../../src/io/spool/journal.js';
import { newKeyPair } from '../../helpers/keys.js';

const { privateKey } = newKeyPair('ed25519');
const journal = openJournal({
  dir: process.argv[2] ?? '',
  sid: 's1',
  signer: { sign: (bytes) => sign(null, bytes, privateKey) },
  limits: { segmentBytes: 20_000, busySegmentMs: 0 },
});

function next(): void {
  const n = journal.append({ k: 'statement' }, { sql: 'SELECT '.repeat(20) });
  journal.commit(n % 50 === 0, (error) => {
    if (error) throw error;
    process.send?.(n);
    next();
  });
}
next();
