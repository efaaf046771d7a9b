/** A key that nobody vouches for, tried everywhere in the place of one that somebody does. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OpenRequest } from '../../src/approval/second-person/open-request.js';
import { thumbprint } from '../../src/identity/binding.js';
import type { Login } from '../../src/identity/identity.js';
import { newLocalLogin } from '../../src/identity/local.js';
import { createSession, evidenceOf, sessionSigner } from '../../src/identity/session.js';
import { sha256 } from '../../src/sha256.js';
import { approvalText } from '../../src/transcript/approval-objects.js';
import { subjectHash } from '../../src/transcript/object-key.js';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { asked, config, stage } from './second-person-stage.js';

const HOUR = 3_600_000;
const [postgres, idp] = await Promise.all([startPostgres(), startIdp()]);
t.teardown(async () => {
  await idp.close();
  await postgres.stop();
});
const connections = { main: { url: postgres.url(), environment: 'development' } };
const identity = { issuer: idp.issuer, client_id: idp.clientId };

t.test('a run without a provider is marked in everything that speaks of it', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  workspace.configure({ connections });
  const program = ['-XAtc', 'SELECT 41 + 1'];
  const ran = await workspace.dbguard(['run', '--', 'psql', ...program]);
  t.match(ran, { exitCode: 0, stdout: '42' });
  t.match(ran.stderr, /local key \S{8} \(nobody vouches for it\) on main/);
  t.match(ran.stderr, /signed with a key of this machine, which nobody vouches for.*dbguard init/);
  const sid = /session (\S+),/.exec(ran.stderr)?.[1] ?? '';
  t.match((await workspace.dbguard(['transcripts', 'list'])).stdout, /local key \S{8}/);
  t.match((await workspace.dbguard(['transcripts', 'show', sid])).stdout, /local key/);
  const verified = await workspace.dbguard(['transcripts', 'verify', sid]);
  t.equal(verified.exitCode, 2);
  t.notMatch(verified.stdout, /PROVEN/, 'not a word of it');
  t.match(verified.stdout, /BY A LOCAL KEY: nobody vouches[\s\S]*\? who[\s\S]*✓ what[\s\S]*✓ whole[\s\S]*✓ when/);
  t.match((await workspace.dbguard(['whoami'])).stdout, /nobody vouches for it/);

  // the same key the next time, and its place is taken by no login
  const again = await workspace.dbguard(['run', '--', 'psql', ...program]);
  t.equal(/local key \S+/.exec(again.stderr)?.[0], /local key \S+/.exec(ran.stderr)?.[0]);
  t.match((await workspace.dbguard(['logout'])).stdout, /Nobody was logged in/);

  t.test('and is red where an issuer or a level is demanded', async (t) => {
    for (const demand of [
      { identity },
      { identity: { ...identity, minimum_level: 'asserted' } },
      { identity: 'required' },
    ]) {
      workspace.configure({ connections, ...demand });
      const { exitCode, stdout } = await workspace.dbguard(['transcripts', 'verify', sid, '--offline']);
      t.equal(exitCode, 1, JSON.stringify(demand));
      t.match(stdout, /CHANGED OR FORGED[\s\S]*nobody vouches for its local key/);
    }
    workspace.configure({ connections, identity: { ...identity, minimum_level: 'local' } });
    const taken = await workspace.dbguard(['transcripts', 'verify', sid, '--offline']);
    t.match(taken, { exitCode: 2, stdout: /BY A LOCAL KEY/ });
  });

  t.test('nor does anything run so where a file demands a provider, or names half of one', async (t) => {
    workspace.configure({ connections, identity: 'required' });
    for (const [env, said] of [
      [{}, /an identity provider is demanded/],
      [{ DBGUARD_ISSUER: idp.issuer }, /an issuer and no client id/],
      [{ DBGUARD_CLIENT_ID: 'dbguard' }, /a client id and no issuer/],
    ] as const) {
      const refused = await workspace.dbguard(['run', '--', 'psql', ...program], { env });
      t.notMatch(refused.stdout, /42/);
      t.match(refused.stderr, said);
    }
  });
});

t.test('what needs a second person is refused with a sentence, and stored nowhere', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word
  const rules = [{ name: 'two', when: { effect: 'create' }, then: 'second-person', reason: 'two' }];
  workspace.configure({ connections, policy: { rules } });
  const own = { version: 1, second_person: { approvers: ['lead@example.test'] } };
  mkdirSync(join(workspace.home, 'config'), { recursive: true, mode: 0o700 });
  writeFileSync(join(workspace.home, 'config', 'dbguard.yaml'), JSON.stringify(own));
  const { stderr } = await workspace.dbguard(['run', '--', 'psql', '-Xc', 'CREATE TABLE two (id int)']);
  t.match(stderr, /A second person decides over people whom an identity provider vouches for/);
  t.notOk(readdirSync(workspace.bucket).includes('approvals'));
});

/** A verdict as a program of somebody's own would write it, past every check of ours. */
function forged(open: OpenRequest, login: Login): readonly [key: string, text: string] {
  const credential = createSession(login, { now: Date.now(), lifetimeMs: HOUR });
  const said = { id: open.id, sid: credential.sid, request: open.request.digest, at: Date.now() };
  const verdict = { ...said, decision: 'allow', seen: sha256('', 'base64url'), who: evidenceOf(credential) } as const;
  const signer = { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) };
  return [`approvals/${open.id}/verdict-${subjectHash(login.subject)}`, approvalText('verdict', verdict, signer)];
}

t.test('nobody approves with a local key, nor with an approver’s address beside it', async (t) => {
  const local = newLocalLogin(randomBytes, Date.now() - 1000);
  const named = { ...local, subject: { ...local.subject, email: config.approvers[0] ?? '' } };
  for (const login of [local, named]) {
    const one = await stage(t.testdir());
    const open = await one.publish(asked());
    const [key, text] = forged(open, login);
    await one.bucket.create(key, Buffer.from(text));
    const fresh = new OpenRequest(open);
    t.same(await fresh.look(one.bucket, one.judge, Date.now()), { kind: 'waiting' });
    t.match(fresh.ignored, /does not count/);
  }
});
