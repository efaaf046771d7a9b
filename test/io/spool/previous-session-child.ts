/** Sessions of one person, one after the other; other processes do the same at the same moment. */
import { createSession } from '../../../src/identity/session.js';
import { openBucket } from '../../../src/io/bucket/open.js';
import { openTranscript } from '../../../src/io/spool/spool.js';
import { testIssuer } from '../../transcript/people.js';

const state = process.argv[2] ?? '';
const login = await (await testIssuer()).login('dev');
const bucket = await openBucket({ kind: 'file', path: `${state}/bucket` }, { env: {} });
for (let i = 0; i < 15; i++) {
  const credential = createSession(login, { now: Date.now(), lifetimeMs: 60_000 });
  await openTranscript({ state, bucket, credential, version: '0.0.0' }).finish();
}
