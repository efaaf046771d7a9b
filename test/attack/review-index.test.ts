/**
 * Whoever can write the browser's index, even with this user's key, makes no session a verified one by it; and what becomes of a
 * session in the bucket shows, whatever the index says.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { listBucket } from '../../src/cli/review/list-bucket.js';
import { drawn } from '../../src/cli/review/screens.js';
import { type Reading, verifyOne } from '../../src/cli/review/wishes.js';
import { openDirectoryBucket } from '../../src/io/bucket/directory.js';
import { cacheKey, readList, writeList } from '../../src/io/files/vouched-files.js';
import { type BrowserEvent, browserEvent } from '../../src/review/browser/browser-events.js';
import { type BrowserState, startBrowser } from '../../src/review/browser/browser-state.js';
import { nameOf } from '../../src/review/browser/listed-session.js';
import { pinnedKeys } from '../../src/review/issuer-keys.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';

const issuer = await testIssuer();
const everything = { first: '', last: '~' };

class Stage {
  readonly root: string;
  readonly bucket: ReturnType<typeof openDirectoryBucket>;
  readonly place: { readonly path: string; readonly key: Buffer };
  state: BrowserState = startBrowser({ columns: 160, rows: 50 });

  constructor(t: Test) {
    this.root = t.testdir({ state: {} });
    this.bucket = openDirectoryBucket(join(this.root, 'bucket'));
    this.place = { path: join(this.root, 'cache', 'review.index'), key: cacheKey(join(this.root, 'state')) };
  }

  /** Paths of its objects. */
  async store(who: string): Promise<string[]> {
    const session = record(await issuer.login(who), { statements: 3 });
    return objectsOf(session, 0).map(({ key, bytes }) => {
      const path = join(this.root, 'bucket', key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      return path;
    });
  }

  readonly tell = (event: BrowserEvent): void => {
    this.state = browserEvent(this.state, event).state;
  };

  /** A browser that is opened anew. */
  async look(): Promise<void> {
    this.state = startBrowser({ columns: 160, rows: 50 });
    await listBucket(this.bucket, everything, this.place, (sessions) => this.tell({ kind: 'sessions', sessions }));
  }

  get index(): { v: number; sessions: Record<string, unknown>[] } {
    return JSON.parse(readList(this.place.path, this.place.key, this.place.path) ?? '{}');
  }

  forge(index: object, key = this.place.key): void {
    writeList(this.place.path, JSON.stringify(index), key, this.place.path);
  }

  get items() {
    const { body } = drawn(this.state, this.bucket.location, true).props;
    if (body.kind !== 'list') throw new Error('no list');
    return body.items.map(({ mark, who, denied, flags }) => [
      mark.text,
      who,
      denied,
      flags.map(({ text }) => text).join(),
    ]);
  }

  async verify(): Promise<void> {
    const verify: Reading['verify'] = {
      source: this.bucket,
      keys: pinnedKeys(JSON.stringify(issuer.keys), 'keys.json'),
      demands: { issuer: issuerUrl, clientId },
    };
    const [chosen] = this.state.shown;
    if (chosen) await verifyOne({ verify } as Reading, nameOf(chosen), this.tell);
  }
}

/** A signed byte of the middle segment. */
function spoil(paths: readonly string[]): void {
  const path = paths[1] ?? '';
  const bytes = Buffer.from(readFileSync(path));
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

t.test('an index that says everything good, under the right key, proves nothing', async (t) => {
  const stage = new Stage(t);
  const paths = await stage.store('mallory');
  spoil(paths);
  await stage.look();
  const { v, sessions } = stage.index;
  const praise = { verdict: 'proven', verified: true, proven: true, words: 'PROVEN', mark: '✓', state: 'complete' };
  stage.forge({ v, verified: sessions, sessions: sessions.map((one) => ({ ...one, ...praise, denied: 0 })) });
  await stage.look();
  t.strictSame(
    stage.items,
    [['·', 'mallory@example.test', '0', '']],
    'counts are the session’s own word, and nothing is verified',
  );
  t.equal(stage.state.verified.size, 0);
  t.notMatch(JSON.stringify(stage.index), 'PROVEN', 'what is not of an index does not stay in it');
  await stage.verify();
  t.equal(stage.items[0]?.[0], '✗');
  await stage.look();
  t.equal(stage.items[0]?.[0], '·', 'and the index keeps no verdict at all');
});

t.test('what was verified counts for the objects as they lay then', async (t) => {
  const stage = new Stage(t);
  const paths = await stage.store('ada');
  await stage.look();
  await stage.verify();
  const [good] = stage.items;
  t.not(good?.[0], '·');
  spoil(paths);
  await listBucket(stage.bucket, everything, stage.place, (sessions) => stage.tell({ kind: 'sessions', sessions }));
  t.strictSame([stage.items[0]?.[0], stage.items[0]?.[3]], ['·', 'changed since its end']);
  await stage.verify();
  t.equal(stage.items[0]?.[0], '✗');
});

t.test('an index under another key, or for another bucket, is none', async (t) => {
  const stage = new Stage(t);
  await stage.store('ada');
  await stage.look();
  const { v, sessions } = stage.index;
  const forged = { v, sessions: sessions.map((one) => ({ ...one, person: 'somebody else', denied: 0 })) };
  stage.forge(forged, Buffer.alloc(32));
  await stage.look();
  t.strictSame(
    stage.items.map(([, who, denied]) => [who, denied]),
    [['ada@example.test', '1']],
  );
  writeList(stage.place.path, JSON.stringify(forged), stage.place.key, '/another/place');
  await stage.look();
  t.strictSame(
    stage.items.map(([, who, denied]) => [who, denied]),
    [['ada@example.test', '1']],
  );
  writeFileSync(stage.place.path, 'nonsense', { mode: 0o600 });
  await stage.look();
  t.equal(stage.items.length, 1);
});

t.test('sessions that come, change or go show at the next look', async (t) => {
  const stage = new Stage(t);
  const [ada, bob] = [await stage.store('ada'), await stage.store('bob')];
  await stage.look();
  t.strictSame(
    stage.items.map(([, , , flags]) => flags),
    ['', ''],
  );
  await stage.store('carol');
  rmSync(dirname(ada[0] ?? ''), { recursive: true });
  const extra = (bob[0] ?? '').replace('00000000', '00000007');
  writeFileSync(extra, readFileSync(bob[0] ?? ''));
  await stage.look();
  const seen = Object.fromEntries(stage.items.map(([, who, , flags]) => [String(who).slice(0, 3), flags]));
  t.strictSame(seen, { ada: 'gone from the bucket', bob: 'changed since its end,not sealed', car: '' });
  await stage.look();
  t.match(
    stage.items.map(([, , , flags]) => String(flags)).sort(),
    ['', /changed since its end/, /gone from the bucket/],
    'and at the one after it',
  );
});
