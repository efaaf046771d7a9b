/** The two readers of a transcript: this code, and the program in Python that was written from the document. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { listSessions } from '../../src/review/catalog.js';
import { pinnedKeys } from '../../src/review/issuer-keys.js';
import { readRevokedKeys } from '../../src/review/revoked-keys.js';
import type { SessionReport } from '../../src/review/session-report.js';
import { verifySession } from '../../src/review/verify-session.js';
import { segmentKey, sessionPrefix } from '../../src/transcript/object-key.js';
import { memorySource, pack } from './recorded.js';
import { startedAt } from './vector.js';
import type { VectorCase } from './vector-cases.js';

/** Why the second verifier cannot run. */
export const noPython = spawnSync('python3', ['--version']).status !== 0 && 'python3 is missing';

const program = join(import.meta.dirname, '..', 'vectors', 'transcript', 'verify.py');

export function python(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('python3', [program, ...args], { encoding: 'utf8' });
  return { status, stderr, lines: stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])) };
}

export async function judged({ sid, subject, segments, issuerKeys, reader }: VectorCase): Promise<SessionReport> {
  const createdAt = startedAt + 10_000;
  const prefix = sessionPrefix(subject, sid);
  const source = memorySource(
    segments.map((lines, n) => ({ key: segmentKey(prefix, n), bytes: pack(lines), createdAt })),
  );
  const keys = pinnedKeys(JSON.stringify(issuerKeys), 'vector');
  const { revoked = {}, ...named } = reader;
  const archive = Object.entries(revoked).map(([key, content]) => ({ key, bytes: Buffer.from(content), createdAt }));
  const revokedKeys = await readRevokedKeys({
    location: 'archive',
    read: memorySource(archive).read,
    list: memorySource(archive).history,
  });
  for await (const session of listSessions(source)) {
    return verifySession(session, { source, keys, demands: { ...named, revokedKeys }, now: createdAt + 3_600_000 });
  }
  throw new Error('no session');
}
