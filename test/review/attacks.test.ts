/** Each way to rewrite history that we know of, and the name that verification gives it. */
import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { createSession } from '../../src/identity/session.js';
import { listSessions, type ObjectSource } from '../../src/review/catalog.js';
import type { IdentityDemands } from '../../src/review/identity-demands.js';
import type { IssuerKeySource } from '../../src/review/issuer-keys.js';
import { proofLines } from '../../src/review/proof-words.js';
import { redactionEntry } from '../../src/review/redaction.js';
import type { SessionReport } from '../../src/review/session-report.js';
import { verifyAll } from '../../src/review/verify-all.js';
import { verifySession } from '../../src/review/verify-session.js';
import type { EntryBody } from '../../src/transcript/entry.js';
import type { Finding } from '../../src/transcript/finding.js';
import { redactionKey, segmentKey, sessionPrefix, subjectHash } from '../../src/transcript/object-key.js';
import { clientId, testIssuer } from '../transcript/people.js';
import {
  besideKey,
  editDisclosures,
  editPayload,
  isSignature,
  memorySource,
  objectsOf,
  pack,
  type Recorded,
  readEntry,
  record,
  resign,
} from '../transcript/recorded.js';

const now = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const issuer = await testIssuer();
const login = await issuer.login('dev', { at: now });
const keys: IssuerKeySource = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };
const stored = now + 10_000;

async function verify(
  source: ObjectSource,
  { sid, demands = {}, at = stored }: { sid: string; demands?: IdentityDemands; at?: number },
): Promise<SessionReport> {
  for await (const session of listSessions(source)) {
    if (session.sid === sid)
      return verifySession(session, { source, keys, demands: { clientId, ...demands }, now: at });
  }
  throw new Error('no such session');
}

async function attack(change: (session: Recorded) => void, demands: IdentityDemands = {}): Promise<SessionReport> {
  const session = record(login);
  change(session);
  return verify(memorySource(objectsOf(session, stored)), { sid: session.sid, demands });
}

function lines(session: Recorded, segment: number): string[] {
  const found = session.segments[segment];
  if (!found) throw new RangeError('no such segment');
  return found;
}

function failures({ findings }: SessionReport): string[] {
  return [...new Set(findings.filter(({ severity }) => severity === 'failure').map(({ code }) => code))];
}

test('an untouched session is proven: who, what, complete', async (t) => {
  const report = await attack(() => {});
  t.match(report, { verdict: 'proven', state: 'complete', level: 'nonce', statements: 4, denied: 1, findings: [] });
});

/** Place of the signature over the first four entries of segment 1, among all lines. */
const firstGroup = 3 + 4;

test('every byte of every line: a change never verifies', async (t) => {
  const session = record(login, { statements: 2 });
  const everything = session.segments.map((segment) => segment.join('\n'));
  let unseen = 0;
  for (const [number, text] of everything.entries()) {
    const bytes = Buffer.from(text);
    for (let i = 0; i < bytes.length; i++) {
      // The opening entry is long; every third byte of it keeps this test short.
      if (number === 0 && i % 3 !== 0) continue;
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
      const objects = objectsOf(session, stored);
      const object = objects[number];
      if (object) objects[number] = { ...object, bytes: changed };
      const source = memorySource(objects);
      const report = await verify(source, { sid: session.sid });
      // The last segment has one signature. Without it nothing says whose the object is: it is a stranger's, and the end is missing.
      const codes = report.findings.map(({ code }) => code);
      const endless =
        number === 2 &&
        (codes.includes('not-final') || codes.includes('still-open')) &&
        codes.includes('foreign-object');
      const seen = report.verdict === 'invalid' || (report.verdict === 'unproven' && endless);
      if (!seen) {
        unseen++;
        t.comment(`segment ${number}, byte ${i}: ${changed.subarray(Math.max(0, i - 30), i + 30)}`);
      }
    }
  }
  t.equal(unseen, 0);
});

test('a byte of the packed object', async (t) => {
  const session = record(login, { statements: 1 });
  const objects = objectsOf(session, stored);
  const object = objects[1];
  if (!object) return;
  let unseen = 0;
  for (let i = 10; i < object.bytes.length; i++) {
    const bytes = Buffer.from(object.bytes);
    bytes.writeUInt8(bytes.readUInt8(i) ^ 0x10, i);
    const changed = objects.map((one) => (one === object ? { ...object, bytes } : one));
    if ((await verify(memorySource(changed), { sid: session.sid })).verdict === 'invalid') continue;
    // The last byte of a deflate stream has bits that mean nothing.
    if (gunzipSync(bytes).compare(gunzipSync(object.bytes)) !== 0) unseen++;
  }
  t.equal(unseen, 0);
});

test('dropping, swapping, repeating lines', async (t) => {
  t.match(failures(await attack((s) => lines(s, 1).splice(2, 1))), ['entry-missing']);
  const swapped = await attack((s) => lines(s, 1).splice(2, 2, lines(s, 1)[3] ?? '', lines(s, 1)[2] ?? ''));
  t.match(failures(swapped), ['entry-missing', 'entry-order']);
  t.match(failures(await attack((s) => lines(s, 1).splice(2, 0, lines(s, 1)[2] ?? ''))), ['entry-order']);
  t.match(failures(await attack((s) => s.segments.reverse())).includes('entry-missing'), true);
});

test('editing a payload, with and without renumbering what follows', async (t) => {
  const edited = await attack((s) => {
    lines(s, 1)[0] = editPayload(lines(s, 1)[0] ?? '', (payload) => payload.replace('"test"', '"tess"'));
  });
  t.match(failures(edited), ['chain-broken']);
  const last = await attack((s) => {
    const final = lines(s, 2);
    final[0] = editPayload(final[0] ?? '', (payload) => payload.replace('"statements":4', '"statements":3'));
  });
  t.same(failures(last), ['seal-wrong', 'chain-broken']);
});

test('the holder of the session key rewrites one entry and signs it anew', async (t) => {
  const report = await attack((s) => {
    const at = 3;
    lines(s, 1)[at] = editPayload(lines(s, 1)[at] ?? '', (payload) => payload.replace('"by":"rule"', '"by":"nobody"'));
    resign(s, firstGroup);
  });
  t.match(failures(report), ['chain-broken']);
});

test('the holder of the session key writes a key twice, to say one thing to one reader and another to the next', async (t) => {
  for (const [from, to] of [
    ['"by":"rule"', '"by":"rule","by":"person"'],
    ['"of":', '"x":{"a":[{"b":1,"b":2}]},"of":'],
    ['"of":', '"\\u006f\\u0066":1,"of":'],
    ['"of":', '"of" :1,"of":'],
  ] as const) {
    const report = await attack((s) => {
      const at = 3;
      lines(s, 1)[at] = editPayload(lines(s, 1)[at] ?? '', (payload) => payload.replace(from, to));
      resign(s, firstGroup);
    });
    t.ok(failures(report).includes('line-malformed'), to);
    t.match(report.findings, [{ message: /a key stands twice/ }]);
  }
  const colons = record(login, {
    extra: [[{ k: 'parse', facts: [{ command: '": {\\"a\\":1' }] }, { sql: '{"a":1,"a":2}' }]],
  });
  const sound = await verify(memorySource(objectsOf(colons, stored)), { sid: colons.sid });
  t.equal(sound.verdict, 'proven', 'what looks like a key within a text is none');
});

test('a session that opens a second time, as somebody else', async (t) => {
  const boss = record(await issuer.login('boss', { at: now }));
  const { fields } = readEntry(lines(boss, 0)[0] ?? '');
  const twice = record(login, { extra: [[{ ...fields, k: 'open' } as EntryBody]] });
  const report = await verify(memorySource(objectsOf(twice, stored)), { sid: twice.sid });
  t.same(failures(report), ['open-unusable']);
  t.match(report, { open: { subject: { sub: 'dev' } } });
});

test('another key signs', async (t) => {
  const other = createSession(login, { now: now + 1000, lifetimeMs: HOUR });
  const report = await attack((s) => {
    resign(s, firstGroup, other);
  });
  t.same(failures(report).sort(), ['chain-broken', 'signature-invalid'], 'a signature is part of the chain too');
  const wholly = record(login, {
    credential: { ...other, sessionKey: createSession(login, { now, lifetimeMs: HOUR }).sessionKey },
  });
  const all = await verify(memorySource(objectsOf(wholly, stored)), { sid: wholly.sid });
  t.same(failures(all), ['signature-invalid']);
});

test('a session key of one’s own, with the certificate of another', async (t) => {
  const genuine = createSession(login, { now: now + 1000, lifetimeMs: HOUR });
  const own = createSession(await issuer.login('dev', { at: now }), {
    now: now + 1000,
    lifetimeMs: HOUR,
    sid: genuine.sid,
  });
  const forged = record(login, { credential: { ...own, login, certificate: genuine.certificate } });
  t.ok(
    failures(await verify(memorySource(objectsOf(forged, stored)), { sid: forged.sid })).includes(
      'certificate-invalid',
    ),
  );
});

test('a session signed after its key’s life', async (t) => {
  const credential = createSession(login, { now: now + 1000, lifetimeMs: 3 });
  const late = record(login, { credential });
  t.ok(
    failures(await verify(memorySource(objectsOf(late, stored)), { sid: late.sid })).includes('certificate-expired'),
  );
});

test('cutting off: unsigned tail, missing end, missing middle', async (t) => {
  const tail = await attack((s) => {
    s.segments.pop();
    lines(s, 1).splice(-1); // ends on a seal without signature
  });
  t.match(tail.findings, [{ code: 'unsigned-tail', message: /the last entry is unsealed/ }]);
  t.equal(tail.verdict, 'unproven');
  const unsigned = await attack((s) => lines(s, 2).pop());
  t.match(unsigned, { verdict: 'unproven', state: 'open' }, 'a final seal that nobody signed is none');

  const session = record(login, { final: false });
  const source = memorySource(objectsOf(session, stored));
  t.match(await verify(source, { sid: session.sid }), { state: 'open', verdict: 'proven' });
  const later = await verify(source, { sid: session.sid, at: stored + HOUR });
  t.match(later, { state: 'unsealed', verdict: 'unproven' });
  t.match(later.findings, [{ code: 'not-final', message: /crashed, or its end was cut off/ }]);

  const complete = record(login);
  const holed = memorySource(objectsOf(complete, stored).filter((_, number) => number !== 1));
  t.match(failures(await verify(holed, { sid: complete.sid })), ['segment-missing', 'entry-missing']);
});

test('lines after the final seal, and lines without any signature', async (t) => {
  const after = await attack((s) => {
    const [first = ''] = lines(s, 1);
    const { n } = readEntry(lines(s, 2)[0] ?? '');
    const moved = editPayload(first, (payload) => payload.replace(/"n":\d+/, `"n":${n + 1}`));
    lines(s, 2).push(moved, lines(s, 2)[1] ?? '');
    resign(s, s.segments.flat().length - 1);
  });
  t.ok(failures(after).includes('after-final-seal'));
  const bare = await attack((s) => {
    s.segments = s.segments.map((segment) => segment.filter((line) => !isSignature(line)));
  });
  t.ok(failures(bare).includes('signature-invalid'));
  t.match(bare.findings, [{ message: 'nothing is signed' }]);
});

test('splicing two sessions', async (t) => {
  const other = record(login, { at: now + 2000 });
  t.same(failures(await attack((s) => lines(s, 1).splice(2, 1, lines(other, 1)[2] ?? ''))), ['chain-broken']);
  t.ok(failures(await attack((s) => (s.segments[1] = lines(other, 1)))).includes('segment-missing'));
});

test('a second object beside a segment', async (t) => {
  const session = record(login);
  const junk = pack(['{"p":"{}"}']);
  const objects = objectsOf(session, stored);
  const beside = { key: besideKey(session.prefix, 1, junk), bytes: junk, createdAt: stored };
  const report = await verify(memorySource([...objects, beside]), { sid: session.sid });
  t.match(
    report,
    { verdict: 'proven', state: 'complete' },
    'the genuine one is read, whatever strangers put beside it',
  );
  t.match(
    report.findings,
    [{ code: 'foreign-object', severity: 'note', message: beside.key }],
    'and the other one named',
  );
  const twice = { key: besideKey(session.prefix, 1, junk), bytes: objects[1]?.bytes ?? junk, createdAt: stored };
  t.equal(
    (await verify(memorySource([...objects, twice]), { sid: session.sid })).verdict,
    'proven',
    'the same twice is no harm',
  );
});

test('disclosures: edited, taken out, smuggled in', async (t) => {
  const edit = (change: (texts: string[]) => string[]) =>
    attack((s) => {
      lines(s, 1)[0] = editDisclosures(lines(s, 1)[0] ?? '', (texts) => change([...texts]));
    });
  t.same(failures(await edit((texts) => texts.map((text) => text.replace('SELECT 0', 'SELECT 9')))), [
    'disclosure-changed',
    'disclosure-missing',
  ]);
  t.same(failures(await edit(([, ...rest]) => rest)), ['disclosure-missing']);
  t.same(failures(await edit((texts) => [...texts, '["salt","sql","SELECT 1"]'])), ['disclosure-changed']);
  t.same(failures(await edit((texts) => [...texts, texts[0] ?? ''])), ['disclosure-changed']);
  t.same(failures(await edit((texts) => [...texts, 'junk'])), ['disclosure-changed']);
  t.ok(failures(await edit((texts) => texts.reverse())).includes('disclosure-changed'), 'in another order');
});

test('identity: stolen token, old token, other subject, other issuer, weaker evidence', async (t) => {
  const thief = await issuer.login('thief', { at: now, token: login.idToken });
  const stolen = record({ ...thief, subject: login.subject });
  const verified = (s: Recorded, demands = {}) => verify(memorySource(objectsOf(s, stored)), { sid: s.sid, demands });
  const report = await verified(stolen);
  t.same(failures(report), ['identity-invalid']);
  t.match(report.findings, [{ message: /nonce of another login/ }]);

  const old = record(login, { at: now + 40 * 24 * HOUR });
  const late = memorySource(objectsOf(old, now + 40 * 24 * HOUR + 10_000));
  const aged = await verify(late, {
    sid: old.sid,
    demands: { clientId, maxLoginAgeMs: 24 * HOUR },
    at: now + 41 * 24 * HOUR,
  });
  t.match(aged.findings, [{ code: 'identity-invalid', message: /older than allowed/ }]);

  t.match((await verified(record({ ...login, subject: { ...login.subject, sub: 'boss' } }))).findings, [
    { code: 'identity-invalid', message: /another subject/ },
  ]);
  t.match((await verified(record({ ...login, subject: { ...login.subject, email: 'boss@example.test' } }))).findings, [
    { code: 'identity-invalid', message: /another e-mail/ },
  ]);
  const stranger = await verified(record(login), { issuer: 'https://other.example' });
  t.match(stranger, { verdict: 'unproven', findings: [{ code: 'identity-unproven', message: /not https:\/\/other/ }] });
  const impostor = await testIssuer(issuer.url);
  t.same(
    failures(await verified(record(await impostor.login('dev', { at: now })))),
    ['identity-invalid'],
    'not the issuer’s key',
  );

  const weak = await issuer.login('dev', { at: now, level: 'asserted' });
  t.match(await verified(record(weak)), { verdict: 'unproven', level: 'asserted' });
  t.same(failures(await verified(record(weak), { minimumLevel: 'nonce' })), ['identity-weak']);
  t.same(
    failures(await verified(record({ ...weak, level: 'nonce' }))),
    ['identity-invalid'],
    'claims more than it has',
  );
});

test('time: before the login, later than the bucket, and uploaded late', async (t) => {
  const early = record(login, { at: now - HOUR });
  const report = await verify(memorySource(objectsOf(early, now - HOUR + 5000)), { sid: early.sid });
  t.match(report.findings, [{ message: 'the session claims to have begun before its login' }]);

  const ahead = record(login, { at: now + 2 * HOUR });
  t.ok(failures(await verify(memorySource(objectsOf(ahead, now)), { sid: ahead.sid })).includes('time-ahead'));

  const session = record(login);
  const offline = await verify(memorySource(objectsOf(session, now + 50 * HOUR)), {
    sid: session.sid,
    at: now + 51 * HOUR,
  });
  t.equal(offline.verdict, 'proven');
  t.match(offline.findings, [{ code: 'late-upload', severity: 'note', message: /50 h/ }]);
});

test('a clock that is set back or ahead while the session runs', async (t) => {
  const verified = (clockError: (n: number) => number) => {
    const session = record(login, { clockError });
    return verify(memorySource(objectsOf(session, stored)), { sid: session.sid });
  };
  const back = await verified((n) => (n > 5 ? -3 * HOUR : 0));
  t.match(back, { verdict: 'proven', findings: [{ code: 'clock-back', severity: 'note', message: /by 10800 s/ }] });
  t.equal(proofLines(back).find(({ label }) => label === 'when')?.holds, 'unknown');
  const aheadForAMoment = await verified((n) => (n === 4 ? HOUR / 2 : 0));
  t.same(failures(aheadForAMoment), ['time-ahead']);
});

test('a session in another person’s folder', async (t) => {
  const session = record(login);
  const prefix = sessionPrefix(subjectHash({ iss: issuer.url, sub: 'boss' }), session.sid);
  const moved = objectsOf({ ...session, prefix }, stored);
  t.same(failures(await verify(memorySource(moved), { sid: session.sid })), ['wrong-place']);
});

test('a whole session is deleted, or cut, and the next one misses it', async (t) => {
  const first = record(login);
  const second = record(login, { at: now + 5000, previous: { sid: first.sid, size: first.size, head: first.head } });
  const all = async (objects: ReturnType<typeof objectsOf>) => {
    const reports: SessionReport[] = [];
    const between: Finding[] = [];
    const source = memorySource(objects);
    const how = {
      source,
      keys,
      demands: { clientId },
      now: stored + HOUR,
      onReport: (report: SessionReport) => reports.push(report),
      onFinding: (finding: Finding) => finding.code !== 'versions-hidden' && between.push(finding),
    };
    await verifyAll(how);
    return { between, reports };
  };
  const whole = await all([...objectsOf(first, stored), ...objectsOf(second, stored)]);
  t.same(whole.between, []);
  t.same(
    whole.reports.map(({ verdict }) => verdict),
    ['proven', 'proven'],
  );
  const gone = await all(objectsOf(second, stored));
  t.match(gone.between, [{ code: 'session-missing', severity: 'failure' }]);
  const cut = await all([...objectsOf(first, stored).slice(0, 2), ...objectsOf(second, stored)]);
  t.match(cut.between, [{ code: 'session-truncated' }]);
  const stranger = record(await issuer.login('other', { at: now }), { at: now + 5000, previous: { sid: first.sid } });
  t.match((await all([...objectsOf(first, stored), ...objectsOf(stranger, stored)])).between, [
    { code: 'session-missing' },
  ]);
});

test('redaction: by a reviewer it covers, by anybody else it does not', async (t) => {
  const session = record(login);
  const target = readEntry(lines(session, 1)[0] ?? '');
  const digests = { sql: target.c.sql ?? '', bind: target.c.bind ?? '' };
  lines(session, 1)[0] = editDisclosures(lines(session, 1)[0] ?? '', () => []);
  const withRedaction = async (by: Recorded) => {
    const bytes = pack(by.segments.flat());
    const object = { key: redactionKey(session.prefix, by.sid), bytes, createdAt: stored };
    return verify(memorySource([...objectsOf(session, stored), object]), { sid: session.sid });
  };
  const redacting = (who: typeof login, of = target.n) =>
    record(who, {
      statements: 0,
      extra: [[redactionEntry({ sid: session.sid, n: of, digests }, 'contains a card number')]],
    });
  const reviewer = await issuer.login('lead', { at: now });

  t.match(await withRedaction(redacting(reviewer)), {
    verdict: 'proven',
    redacted: 2,
    findings: [{ severity: 'note', message: 'lead@example.test redacted 2 of its texts: contains a card number' }],
  });
  t.match(failures(await withRedaction(redacting(reviewer, 5))), ['disclosure-missing'], 'of another entry');
  t.same(failures(await withRedaction(redacting(login))), ['disclosure-missing'], 'one’s own session');
  for (const email of ['dev@example.test', 'Dev@Example.TEST', 'dev+second@example.test', 'ｄev@example.test']) {
    const second = await issuer.login('another-account', { at: now, email });
    const report = await withRedaction(redacting(second));
    t.same(failures(report), ['disclosure-missing'], `attack: a second account, ${email}`);
    t.match(report.findings.at(-1), { message: /redacted their own session/ });
  }
  const elsewhere = redactionEntry({ sid: record(login).sid, n: target.n, digests }, 'another session');
  const misplaced = await withRedaction(record(reviewer, { statements: 0, extra: [[elsewhere]] }));
  t.same(failures(misplaced), ['disclosure-missing'], 'attack: a redaction of another session');
  t.match(misplaced.findings.at(-1), { message: /takes nothing out of this session/ });
  const weak = await issuer.login('lead', { at: now, level: 'asserted' });
  t.same(failures(await withRedaction(redacting(weak))), ['disclosure-missing'], 'key not bound');
  const forged = redacting(reviewer);
  lines(forged, 1)[0] = editPayload(lines(forged, 1)[0] ?? '', (payload) => payload.replace('card', 'cart'));
  t.same(failures(await withRedaction(forged)), ['disclosure-missing'], 'edited');
  const impostor = await testIssuer(issuer.url);
  const fake = redacting(await impostor.login('lead', { at: now }));
  t.same(failures(await withRedaction(fake)), ['disclosure-missing'], 'another issuer’s key');
});

test('without issuer keys nothing is invalid, but who is not proven', async (t) => {
  const session = record(login);
  const source = memorySource(objectsOf(session, stored));
  for await (const objects of listSessions(source)) {
    const none: IssuerKeySource = { keysOf: async () => [] };
    const report = await verifySession(objects, { source, keys: none, demands: { clientId }, now: stored });
    t.match(report, { verdict: 'unproven', findings: [{ code: 'identity-unproven' }] });
  }
});

test('junk in the place of a transcript has words, never a crash', async (t) => {
  const session = record(login);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('junk\n'),
    Buffer.from([0x1f, 0x8b, 0]),
    pack(['[]', '{}', '{"p":"{}"}']),
  ]) {
    const report = await verify(memorySource([{ key: segmentKey(session.prefix, 0), bytes, createdAt: stored }]), {
      sid: session.sid,
    });
    t.match(report, { verdict: 'unproven' });
    t.match(report.findings, [{ code: 'nothing-there' }, { code: 'foreign-object' }]);
  }
});
