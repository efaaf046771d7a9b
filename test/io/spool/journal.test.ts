import { fork } from 'node:child_process';
import { sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, openSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type ClosedSegment, type JournalOptions, openJournal } from '../../../src/io/spool/journal.js';
import { type JournalFiles, systemFiles } from '../../../src/io/spool/journal-files.js';
import type { Recorder } from '../../../src/transcript/entry.js';
import { decodeLine, decodePayload, signedBytes } from '../../../src/transcript/line.js';
import { newKeyPair } from '../../helpers/keys.js';

const { privateKey, publicKey } = newKeyPair('ed25519');
const slow = { segmentMs: 600_000, afterSyncMs: 600_000, signMs: 600_000, heartbeatMs: 600_000 };

function setUp(t: Test, options: Partial<JournalOptions> = {}) {
  const dir = join(t.testdir(), 'session');
  const segments: ClosedSegment[] = [];
  let signatures = 0;
  const journal = openJournal({
    dir,
    sid: 's1',
    signer: {
      sign: (bytes) => {
        signatures++;
        return sign(null, bytes, privateKey);
      },
    },
    onSegment: (segment) => segments.push(segment),
    limits: slow,
    ...options,
  });
  const lines = (name = '00000000.jsonl') => linesOf(readFileSync(join(dir, name), 'utf8'));
  const entries = (name?: string) => lines(name).flatMap(({ entry }) => entry ?? []);
  return { journal, dir, segments, lines, entries, signatures: () => signatures };
}

function linesOf(text: string) {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return whole
    .filter((line) => line !== '')
    .map((text) => {
      const line = decodeLine(text);
      return line.kind === 'signature' ? { signature: line } : { entry: decodePayload(line.payload) };
    });
}

/** What kinds of entries stand there, and `*` for a signature. */
const kinds = (lines: ReturnType<typeof linesOf>) => lines.map(({ entry }) => entry?.k ?? '*').join(' ');

const commit = (recorder: Recorder, sync = false) =>
  new Promise<void>((resolve, reject) => recorder.commit(sync, (error) => (error ? reject(error) : resolve())));

test('an acknowledged entry is in the file, a synced one signed, and the file is for its owner only', async (t) => {
  const { journal, dir, lines } = setUp(t);
  t.equal(journal.append({ k: 'statement' }, { sql: 'SELECT 1' }), 0);
  t.same(lines(), [], 'not before the commit');
  await commit(journal);
  t.equal(kinds(lines()), 'statement');
  await commit(journal, true);
  t.equal(kinds(lines()), 'statement *');
  const { size = 0, head = '', signature = '' } = lines()[1]?.signature ?? {};
  t.equal(size, 1);
  t.ok(verify(null, signedBytes('s1', size, head), publicKey, Buffer.from(signature, 'base64url')));
  t.equal(statSync(join(dir, '00000000.jsonl')).mode & 0o777, 0o600);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  await journal.close(false);
});

test('one write for all that one turn brought, the signature of what waits for the disk included', async (t) => {
  const writes: string[] = [];
  const files: JournalFiles = {
    ...systemFiles,
    write: (fd, bytes, offset) => {
      writes.push(kinds(linesOf(Buffer.from(bytes).toString())));
      return systemFiles.write(fd, bytes, offset);
    },
  };
  const { journal } = setUp(t, { files });
  const order: number[] = [];
  const turn = (sync: boolean) =>
    Promise.all(
      [1, 2, 3].map(async (i) => {
        journal.append({ k: 'statement', i });
        await commit(journal, sync && i === 2);
        order.push(i);
      }),
    );
  await turn(false);
  t.same(order, [1, 2, 3]);
  await turn(true);
  t.same(writes, ['statement statement statement', 'statement statement statement *']);
  journal.append({ k: 'outcome' });
  await journal.close(true);
  t.same(writes.slice(2), ['outcome seal *']);
});

test('an entry is signed soon by itself, written or not, also where nobody waits for it', async (t) => {
  const { journal, lines } = setUp(t, { limits: { ...slow, signMs: 1 } });
  journal.append({ k: 'statement', of: 0 });
  await commit(journal);
  while (kinds(lines()) !== 'statement *') await new Promise((resolve) => setTimeout(resolve, 5));
  journal.append({ k: 'outcome', of: 0 });
  while (kinds(lines()) !== 'statement * outcome *') await new Promise((resolve) => setTimeout(resolve, 5));
  await journal.close(false);
  t.equal(kinds(lines()), 'statement * outcome *', 'nothing twice');
});

test('no more than 64 entries stand between two signatures, however they come', async (t) => {
  const { journal, lines, signatures } = setUp(t);
  for (let i = 0; i < 200; i++) {
    journal.append({ k: 'statement', i });
    if (i % 7 === 0) await commit(journal);
  }
  await commit(journal);
  t.equal(signatures(), 3);
  t.same(
    lines().flatMap(({ signature }) => signature?.size ?? []),
    [64, 128, 192],
  );
  await journal.close(false);
  t.equal(lines().at(-1)?.signature?.size, 200, 'the end is signed, sealed or not');
});

test('a synced commit waits for fdatasync, others do not; the folder is synced once', async (t) => {
  const events: string[] = [];
  const held: (() => void)[] = [];
  const files: JournalFiles = {
    ...systemFiles,
    sync: (fd, done) => {
      events.push('sync');
      held.push(() => systemFiles.sync(fd, done));
    },
    syncFolder: (path, done) => {
      events.push('folder');
      systemFiles.syncFolder(path, done);
    },
  };
  const { journal } = setUp(t, { files });
  journal.append({ k: 'statement' });
  const synced = commit(journal, true).then(() => events.push('synced'));
  await commit(journal).then(() => events.push('written'));
  t.same(events, ['sync', 'written']);
  held.shift()?.();
  await synced;
  t.same(events, ['sync', 'written', 'folder', 'synced']);
  await commit(journal, true);
  t.same(events, ['sync', 'written', 'folder', 'synced'], 'nothing new to sync');
  journal.append({ k: 'statement' });
  const again = commit(journal, true);
  while (held.length === 0) await new Promise(setImmediate);
  held.shift()?.();
  await again;
  t.same(events.slice(4), ['sync']);
  const closing = journal.close(false);
  held.shift()?.();
  await closing;
});

test('segments: by hand, by size, after a synced commit, at the end; each ends with a seal that is signed', async (t) => {
  const { journal, lines, entries, segments } = setUp(t, {
    limits: { ...slow, segmentBytes: 2000, busySegmentMs: 0, afterSyncMs: 5 },
  });
  journal.append({ k: 'open' });
  journal.closeSegment();
  t.match(segments, [{ number: 0, final: false }]);
  t.match(
    entries().map(({ k }) => k),
    ['open', 'seal'],
  );
  journal.closeSegment();
  t.equal(segments.length, 1, 'an empty segment is none');

  for (let i = 0; segments.length < 2; i++) {
    journal.append({ k: 'statement', i }, { sql: 'x'.repeat(300) });
    await commit(journal);
  }
  t.match(entries('00000001.jsonl').at(-1), { k: 'seal' });

  journal.append({ k: 'statement' });
  await commit(journal, true);
  while (segments.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  await journal.close(true);
  t.match(
    segments.map(({ final }) => final),
    [false, false, false, true],
  );
  t.match(entries('00000003.jsonl'), [{ k: 'seal', n: journal.size - 1, fields: { final: true } }]);
  for (const { number } of segments) t.match(kinds(lines(`0000000${number}.jsonl`)), /seal \*$/);
});

test('an idle session says that it lives', async (t) => {
  const { journal, entries } = setUp(t, { limits: { ...slow, heartbeatMs: 4 } });
  while (entries().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(entries()[0], { k: 'heartbeat' });
  await journal.close(false);
});

test('a full disk: whoever waits is told, nothing is accepted any more, what was acknowledged stays', async (t) => {
  let room = 900;
  const files: JournalFiles = {
    ...systemFiles,
    write: (fd, bytes, offset) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const size = Math.min(room, bytes.length - offset);
      room -= size;
      return systemFiles.write(fd, bytes.subarray(offset, offset + size), 0);
    },
  };
  const failures: Error[] = [];
  const { journal, dir } = setUp(t, { files, onFailure: (error) => failures.push(error) });
  journal.append({ k: 'statement' });
  await commit(journal);
  const acknowledged = readFileSync(join(dir, '00000000.jsonl'), 'utf8');
  journal.append({ k: 'statement' }, { sql: 'y'.repeat(2000) });
  const outcomes = await Promise.allSettled([commit(journal), commit(journal, true)]);
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'journal-unwritable', message: /no space left/ } },
    { status: 'rejected', reason: { code: 'journal-unwritable' } },
  ]);
  t.throws(() => journal.append({ k: 'statement' }), { code: 'journal-unwritable' });
  await t.rejects(commit(journal), { code: 'journal-unwritable' });
  await t.rejects(journal.close(true), { code: 'journal-unwritable' });
  t.equal(failures.length, 1);
  const text = readFileSync(join(dir, '00000000.jsonl'), 'utf8');
  t.ok(text.startsWith(acknowledged));
  t.notOk(text.endsWith('\n'), 'the torn line has no newline, which is how recovery knows it');
});

test('a device that is really full', { skip: process.platform !== 'linux' }, async (t) => {
  const { journal } = setUp(t, { files: { ...systemFiles, create: () => openSync('/dev/full', 'a') } });
  journal.append({ k: 'statement' });
  await t.rejects(commit(journal), { code: 'journal-unwritable', message: /: no space left on device$/ });
});

test('fdatasync fails: nothing is trusted after it', async (t) => {
  const files: JournalFiles = { ...systemFiles, sync: (_fd, done) => setImmediate(done, new Error('EIO: i/o error')) };
  const { journal } = setUp(t, { files });
  journal.append({ k: 'statement' });
  await t.rejects(commit(journal, true), { code: 'journal-unwritable', message: /: i\/o error$/ });
  t.throws(() => journal.append({ k: 'statement' }), { code: 'journal-unwritable' });
});

test('the next segment cannot be created', async (t) => {
  let files = 0;
  const failing: JournalFiles = {
    ...systemFiles,
    create: (path) => {
      if (files++ > 0) throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
      return systemFiles.create(path);
    },
  };
  const { journal, segments } = setUp(t, { files: failing });
  journal.append({ k: 'statement' });
  journal.closeSegment();
  t.equal(segments.length, 1, 'what is complete still leaves');
  t.throws(() => journal.append({ k: 'statement' }), {
    code: 'journal-unwritable',
    message: /: read-only file system$/,
  });
});

test('a signer that fails, fails the journal', async (t) => {
  const { journal } = setUp(t, {
    signer: {
      sign: () => {
        throw new Error('the key is gone');
      },
    },
  });
  journal.append({ k: 'statement' });
  await t.rejects(commit(journal, true), { code: 'journal-unwritable', message: /the key is gone/ });
  t.throws(() => journal.append({ k: 'statement' }), { code: 'journal-unwritable' });
});

test('also where nobody waits for the signature', async (t) => {
  const signer = {
    sign: () => {
      throw new Error('the key is gone');
    },
  };
  const { journal } = setUp(t, { signer });
  for (let i = 0; i < 63; i++) journal.append({ k: 'statement' });
  t.throws(() => journal.append({ k: 'statement' }), { code: 'journal-unwritable', message: /the key is gone/ });
  await t.rejects(commit(journal), { code: 'journal-unwritable' });
});

test('a folder that others may write to, a link in the place of a file, a file that is there', async (t) => {
  const root = t.testdir({ open: {}, taken: { '00000000.jsonl': 'mine' }, linked: {} });
  const open = (dir: string) => openJournal({ dir, sid: 's1', signer: { sign: () => Buffer.alloc(64) } });
  chmodSync(join(root, 'open'), 0o777);
  t.throws(() => open(join(root, 'open')), { code: 'config-invalid' });
  t.throws(() => open(join(root, 'taken')), { code: 'journal-unwritable' });
  t.equal(readFileSync(join(root, 'taken', '00000000.jsonl'), 'utf8'), 'mine');
  writeFileSync(join(root, 'victim'), 'untouched');
  symlinkSync(join(root, 'victim'), join(root, 'linked', '00000000.jsonl'));
  t.throws(() => open(join(root, 'linked')), { code: 'journal-unwritable' });
  t.equal(readFileSync(join(root, 'victim'), 'utf8'), 'untouched');
});

test('after the end nothing is appended', async (t) => {
  const { journal } = setUp(t);
  journal.append({ k: 'statement' });
  await journal.close(true);
  t.throws(() => journal.append({ k: 'statement' }), { code: 'journal-unwritable' });
  await journal.close(true);
});

test('kill -9: everything that was acknowledged is there', async (t) => {
  const dir = join(t.testdir(), 'session');
  const child = fork(join(import.meta.dirname, 'journal-child.ts'), [dir], { execArgv: ['--import=tsx'] });
  let acknowledged = -1;
  child.on('message', (n) => {
    acknowledged = Number(n);
    if (acknowledged > 300) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  const numbers: number[] = [];
  for (const name of readdirSync(dir).sort()) {
    const text = readFileSync(join(dir, name), 'utf8');
    for (const { entry } of linesOf(text)) if (entry) numbers.push(entry.n);
  }
  t.ok(acknowledged > 300);
  t.ok(numbers.length > acknowledged, 'all of them');
  t.same(
    numbers,
    numbers.map((_, i) => i),
    'in order, without gaps',
  );
});
