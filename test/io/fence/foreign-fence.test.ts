/** dbguard inside of somebody else's fence: it notices, and says where it belongs. */
import { execFileSync } from 'node:child_process';
import { execa } from 'execa';
import t from 'tap';
import { foreignFenceHint } from '../../../src/io/fence/foreign-fence.js';
import { unreachable } from '../../../src/io/upstream/failure.js';
import { dbguardProgram } from '../../helpers/repository.js';
import { makeWorkspace } from '../../helpers/workspace.js';

const loopback = {
  address: '127.0.0.1',
  netmask: '255.0.0.0',
  family: 'IPv4',
  mac: '00:00:00:00:00:00',
  internal: true,
  cidr: null,
} as const;
const outward = { ...loopback, address: '192.0.2.7', internal: false } as const;

t.test('it is said where it is so, and nowhere else', async (t) => {
  t.equal(foreignFenceHint('ECONNREFUSED', { lo: [loopback], eth0: [outward] }), '');
  t.match(
    foreignFenceHint('ECONNREFUSED', { lo: [loopback] }),
    /no network but its own loopback.* Start dbguard outside/,
  );
  t.match(foreignFenceHint('ENETUNREACH', {}), /no network but its own loopback/);
  t.match(foreignFenceHint('EPERM', { eth0: [outward] }), /A sandbox around this process forbids it/);
  const refused = unreachable('db.example:5432', { code: 'EPERM' });
  t.match(refused, { message: /the system forbids it/, hint: /Start dbguard outside of it, around the agent/ });
});

const cannotUnshare = (): string | false => {
  try {
    execFileSync('unshare', ['--map-root-user', '--net', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no network namespace can be made here';
  }
};

t.test('a run in a network namespace with nothing in it', { skip: cannotUnshare() }, async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  workspace.configure({
    connections: { main: { url: 'postgresql://app@127.0.0.1:5432/shop', environment: 'development' } },
  });
  const fenced = ['--map-root-user', '--net', process.execPath, dbguardProgram, 'run', '--', 'true'];
  const { stderr } = await execa('unshare', fenced, {
    cwd: workspace.project,
    env: workspace.env,
    extendEnv: false,
    reject: false,
  });
  t.match(stderr, /cannot reach 127\.0\.0\.1:5432[\s\S]*no network but its own loopback/);
});
