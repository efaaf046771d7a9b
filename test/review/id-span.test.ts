/** A list of one day reads the names of that day, and finds all that a whole list finds. */
import { join } from 'node:path';
import t, { test } from 'tap';
import { type IdSpan, listSessions, sessionsWithin } from '../../src/review/catalog.js';
import { segmentKey, sessionIdsAt, sessionPrefix, sessionTime } from '../../src/transcript/object-key.js';
import { startS3 } from '../helpers/s3.js';
import { folderVault, s3Vault, type Vault } from './vaults.js';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const subjects = ['1', '5', 'c'].map((digit) => digit.repeat(32));
const sids = Array.from({ length: 40 }, (_, n) => `${sessionIdsAt(start + n * day)}${String(n).padStart(16, '0')}`);

async function fill(vault: Vault): Promise<void> {
  for (const subject of subjects) {
    for (const sid of sids) {
      for (const segment of [0, 1]) {
        const key = segmentKey(sessionPrefix(subject, sid), segment);
        await vault.put({ key, bytes: Buffer.from('x'), createdAt: start });
      }
    }
  }
  await vault.put({ key: `v1/${subjects[1]}/odd.txt`, bytes: Buffer.from('x'), createdAt: start });
}

async function within(vault: Vault, span: IdSpan): Promise<string[]> {
  const found: string[] = [];
  for await (const { subject, sid, segments } of sessionsWithin(vault.bucket, span)) {
    found.push(`${subject} ${sid} ${segments.length}`);
  }
  return found;
}

const spans: Record<string, IdSpan> = {
  'one day': { first: sessionIdsAt(start + 7 * day), last: `${sessionIdsAt(start + 8 * day - 1)}~` },
  'the end': { first: sessionIdsAt(start + 30 * day), last: '~' },
  'the first': { first: '', last: `${sids[0]}` },
  'one id': { first: `${sids[20]}`, last: `${sids[20]}~` },
  'the beginning of some': { first: '01', last: '01~' },
  nothing: { first: `${sids[3]}z`, last: `${sids[3]}zz` },
  'what is no id': { first: '%', last: '%~' },
};

const s3 = await startS3();
s3.pageSize = 7;
for (const where of ['folder', 'S3', 'S3 whose versions may not be listed']) {
  test(`sessions within a span: ${where}`, async (t) => {
    const vault = where === 'folder' ? await folderVault(join(t.testdir({}), 'bucket')) : await s3Vault(s3);
    await fill(vault);
    s3.allows = ({ query }) => !where.includes('may not') || !query.includes('versions');
    const all: string[] = [];
    for await (const { subject, sid } of listSessions(vault.bucket)) all.push(`${subject} ${sid} 2`);
    t.equal(all.length, subjects.length * sids.length);
    for (const [name, span] of Object.entries(spans)) {
      const asked = s3.requests.length;
      const expected = all.filter((one) => {
        const sid = one.split(' ')[1] ?? '';
        return sid >= span.first && sid <= span.last;
      });
      t.same(await within(vault, span), expected, name);
      const pages = s3.requests.length - asked;
      if (name === 'one day') t.ok(pages <= 3 * subjects.length + 1, `${pages} pages of 35`);
    }
  });
}
t.teardown(() => s3.close());

test('ids of a millisecond begin with its time', async (t) => {
  for (const ms of [0, 1, 31, 32, start, start + 1, 2 ** 48 - 1]) t.equal(sessionTime(sessionIdsAt(ms)), ms);
  t.equal(sessionIdsAt(-5), sessionIdsAt(0));
  t.equal(sessionIdsAt(Number.POSITIVE_INFINITY), sessionIdsAt(2 ** 48 - 1));
  t.ok(
    sids.every((sid, n) => n === 0 || sid > (sids[n - 1] ?? '')),
    'they sort by time',
  );
});
