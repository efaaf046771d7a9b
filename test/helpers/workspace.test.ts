import { existsSync } from 'node:fs';
import { test } from 'tap';
import { startIdp } from './idp.js';
import { makeWorkspace } from './workspace.js';

test('logs in at a real provider and sees who that was', async (t) => {
  const idp = await startIdp();
  t.teardown(() => idp.close());
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  workspace.configure({ identity: { issuer: idp.issuer, client_id: idp.clientId } });
  const before = await workspace.dbguard(['whoami']);
  t.not(before.exitCode, 0);
  await workspace.login(idp);
  const after = await workspace.dbguard(['whoami', '--json']);
  t.match(JSON.parse(after.stdout), { subject: { sub: idp.subject, email: idp.email }, level: 'nonce' });
});

test('a provider that drops the nonce', async (t) => {
  const idp = await startIdp({ returnsDeviceNonce: false });
  t.teardown(() => idp.close());
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  await workspace.login(idp);
  const who = await workspace.dbguard(['whoami', '--json', '--issuer', idp.issuer, '--client-id', idp.clientId]);
  t.match(JSON.parse(who.stdout), { level: 'asserted' });
});

test('nothing of the surroundings reaches a command, and nothing stays', async (t) => {
  const workspace = makeWorkspace();
  workspace.configure({});
  const { stdout, exitCode } = await workspace.dbguard(['policy', 'lint', '--json'], { env: { NO_COLOR: '1' } });
  t.equal(exitCode, 0, stdout);
  t.notOk('DATABASE_URL' in workspace.env);
  workspace.remove();
  t.notOk(existsSync(workspace.project));
});
