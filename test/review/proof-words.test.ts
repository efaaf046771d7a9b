/** The five sentences of a verdict, whole, by situation: nothing that is not proven reads as if it were. */

import { join } from 'node:path';
import { test } from 'tap';
import { thumbprint } from '../../src/identity/binding.js';
import type { EvidenceLevel } from '../../src/identity/identity.js';
import { listSessions } from '../../src/review/catalog.js';
import { proofLines } from '../../src/review/proof-words.js';
import { type SessionReport, withFindings } from '../../src/review/session-report.js';
import { speaksAgainst } from '../../src/review/speaks-against.js';
import type { VerifyOptions } from '../../src/review/verify-options.js';
import { verifySession } from '../../src/review/verify-session.js';
import type { FindingCode } from '../../src/transcript/finding.js';
import { startS3 } from '../helpers/s3.js';
import { clientId, issuerUrl } from '../transcript/people.js';
import { overstatements } from './judge.js';
import { castAt, Scene, tamperings } from './tamperings.js';
import { folderVault, s3Vault, type Vault } from './vaults.js';

const cast = await castAt(Date.UTC(2026, 10, 23, 12));
const keys = { keysOf: async () => [{ ...cast.issuer.keys, origin: 'test' }] };
const server = await startS3();

async function reportOn(vault: Vault, change: string | ((scene: Scene) => void), how: Partial<VerifyOptions> = {}) {
  const scene = new Scene(cast);
  if (typeof change === 'string') rowOf(change)(scene);
  else change(scene);
  await scene.store(vault);
  const { now, retentionDays } = scene;
  const options = {
    source: vault.bucket,
    keys,
    demands: { clientId },
    now,
    ...(retentionDays ? { retentionDays } : {}),
    ...how,
  };
  for await (const session of listSessions(vault.bucket)) {
    if (session.sid === scene.first.sid) return verifySession(session, options);
  }
  throw new RangeError('the session is gone');
}

function rowOf(name: string): (scene: Scene) => unknown {
  const row = tamperings.find((one) => one.name === name);
  if (row === undefined) throw new RangeError(`no row ${name}`);
  return row.change;
}

function said(report: SessionReport): Record<string, string> {
  return Object.fromEntries(proofLines(report).map(({ holds, label, text }) => [label, `${holds}: ${text}`]));
}

async function sentences(path: string, name: string): Promise<Record<string, string>> {
  return said(await reportOn(await folderVault(path), name));
}

interface Situation {
  readonly change: string | ((scene: Scene) => void);
  readonly how?: Partial<VerifyOptions>;
  readonly says: Readonly<Record<string, string>>;
}

const ada = 'ada@example.test (ada at https://issuer.example)';
const times =
  '2026-11-23 12:00:01 to 2026-11-23 12:00:01 UTC by the writer’s clock, stored 2026-11-23 12:00:10 to 2026-11-23 12:00:10 by the bucket’s';
const all = '12 entries, 4 statements (1 denied), 5 signatures';
const unchanged = 'changed, moved, added or left out in between';
const outside =
  'what happened outside dbguard, which “dbguard transcripts reconcile” compares with the server’s own log';
const onlyBuckets = `unknown: ${times}; of these only the bucket’s is proven`;
const endOpen = `unknown: that nothing was cut off at the end; ${outside}`;

const sound = {
  who: `yes: ${ada}: the issuer’s token carries the nonce of this machine’s key; issuer keys from test`,
  what: `yes: ${all}: nothing ${unchanged}`,
  whole: 'yes: sealed by the session itself; nothing follows',
  when: `yes: ${times}`,
  'not proven': `unknown: ${outside}`,
};
const notTheirs = {
  who: `no: claims to be ${ada}, see below`,
  what: `no: ${all}: whoever signed it, it does not speak for the one it names`,
  whole: 'no: sealed by a key that does not speak for the one it names',
  when: onlyBuckets,
  'not proven': `unknown: who it was: the issuer’s word for it; ${outside}`,
};
const anybodys = {
  who: `unknown: says ${ada}; the issuer’s word for it is not proven`,
  what: `unknown: ${all}: as its key signed it, and whose key that is is not proven`,
  whole: 'unknown: sealed by its key, and whose key that is is not proven',
  when: onlyBuckets,
  'not proven': notTheirs['not proven'],
};
const lessEnd = `yes: 11 entries, 4 statements (1 denied), 4 signatures: nothing ${unchanged}`;
const adasKey = cast.ada.loginKey;
const weaker = async (level: EvidenceLevel) => {
  const login = await cast.issuer.login('ada', { at: cast.ada.loggedInAt, level });
  return (scene: Scene): void => {
    scene.first = scene.record(login);
  };
};

const situations: Readonly<Record<string, Situation>> = {
  whole: { change: 'nothing at all', says: sound },
  open: {
    change: 'cut off a moment ago',
    says: {
      ...sound,
      what: lessEnd,
      whole: 'unknown: no final seal yet: it may still run, and what it did so far can still be cut off',
      'not proven': endOpen,
    },
  },
  unsealed: {
    change: 'the final seal is not signed',
    says: {
      ...sound,
      what: `unknown: 12 entries, 4 statements (1 denied), 4 signatures: nothing ${unchanged} up to the last signature, and what stands behind that proves nothing`,
      whole: 'unknown: its final seal is not signed, and so is no seal: it crashed, or its end was changed',
      'not proven': endOpen,
    },
  },
  'with a foreign object': { change: 'junk behind the seal', says: sound },
  'cut at its end': {
    change: 'the last segment is gone',
    says: {
      ...sound,
      what: lessEnd,
      whole: 'unknown: no final seal: it crashed, or its end was cut off; the two look alike',
      'not proven': endOpen,
    },
  },
  'cut in the middle': {
    change: 'the middle segment is gone',
    says: {
      ...sound,
      what: 'no: 3 entries, 0 statements, 2 signatures: not as it was signed, see below',
      whole: 'no: parts are missing, were replaced or were added, see below',
      when: onlyBuckets,
    },
  },
  overwritten: {
    change: 'overwritten with junk',
    says: {
      ...sound,
      whole: 'no: overwritten or deleted in the bucket since; what was stored first is what was read',
    },
  },
  redacted: {
    change: 'a text is taken out, by a lead’s redaction',
    says: { ...sound, what: `yes: ${all}: 1 text redacted by a reviewer; nothing else ${unchanged}` },
  },
  forged: {
    change(scene) {
      scene.first = scene.record(scene.cast.impostor);
    },
    says: notTheirs,
  },
  asserted: {
    change: await weaker('asserted'),
    says: {
      ...anybodys,
      who: `unknown: ${ada}: the issuer’s token names the person, but no key; issuer keys from test`,
      'not proven': `unknown: whose key signed: whoever held the token could have; ${outside}`,
    },
  },
  'a job’s': {
    change: await weaker('audience'),
    how: { demands: { clientId, workloadIssuers: [issuerUrl] } },
    says: {
      ...sound,
      who: `yes: ${ada}: the platform’s token was made for dbguard, but names no key; issuer keys from test`,
      'not proven': `unknown: whose key signed: whichever job held the token could have; ${outside}`,
    },
  },
  'with no keys at hand': { change: 'nothing at all', how: { keys: { keysOf: async () => [] } }, says: anybodys },
  'of another issuer': {
    change: 'nothing at all',
    how: { demands: { clientId, issuer: 'https://other.example' } },
    says: anybodys,
  },
  'by a revoked key': {
    change: 'nothing at all',
    how: {
      demands: {
        clientId,
        revokedKeys: [{ thumbprint: thumbprint(adasKey), since: 0, reason: 'the laptop was stolen' }],
      },
    },
    says: { ...notTheirs, 'not proven': sound['not proven'] },
  },
  'expired by the rules': {
    change: 'a delete marker that the rules made',
    says: {
      ...sound,
      whole:
        'yes: sealed by the session itself; nothing follows. Deleted since, as the retention rules say; what was stored first was read',
    },
  },
};

for (const [name, { change, how, says }] of Object.entries(situations)) {
  test(`the verdict on a session that is ${name}`, async (t) => {
    const report = await reportOn(await s3Vault(server), change, how);
    t.strictSame(said(report), says);
    t.strictSame(overstatements(report), []);
  });
}

test('every kind of finding takes the ✓ from a sentence', async (t) => {
  const report = await reportOn(await folderVault(join(t.testdir(), 'a')), 'nothing at all');
  t.equal(report.verdict, 'proven');
  for (const code of Object.keys(speaksAgainst) as FindingCode[]) {
    for (const severity of ['failure', 'warning'] as const) {
      const spoiled = withFindings(report, [{ severity, code, message: 'so' }]);
      t.strictSame(overstatements(spoiled), [], `${severity} ${code}`);
      t.notMatch(said(spoiled)[speaksAgainst[code]], /^yes/, `${severity} ${code}`);
    }
  }
});

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

test('the server ends', () => server.close());
