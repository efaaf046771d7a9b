/** A session whose bucket never answers; runs until it is killed. */
import { createSession } from '../../../src/identity/session.js';
import { openTranscript } from '../../../src/io/spool/spool.js';
import { testIssuer } from '../../transcript/people.js';

const login = await (await testIssuer()).login('dev');
const { recorder } = openTranscript({
  state: process.argv[2] ?? '',
  bucket: {
    location: 'none',
    create: () => new Promise(() => {}),
    read: () => Promise.reject(new Error('none')),
    list: async function* () {},
  },
  credential: createSession(login, { now: Date.now(), lifetimeMs: 60_000 }),
  version: '0.0.0',
  limits: { segmentBytes: 5_000, busySegmentMs: 0 },
});

function next(): void {
  recorder.append({ k: 'statement', decision: 'allow' }, { sql: 'SELECT 1' });
  recorder.commit(false, (error) => {
    if (error) throw error;
    process.send?.('acknowledged');
    next();
  });
}
next();
