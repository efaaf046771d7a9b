/** Each step of opening a guard made to fail in turn, by what fails in life: nothing stays open behind it. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Guard } from '../../src/cli/guard/guard.js';
import { openGuard } from '../../src/cli/guard/guard.js';
import { DbguardError } from '../../src/errors.js';
import { takeSpool } from '../../src/io/spool/spool-lock.js';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { makeWorkspace } from '../helpers/workspace.js';

const postgres = await startPostgres();
const idp = await startIdp();
t.teardown(async () => {
  await idp.close();
  await postgres.stop();
});

const identity = { issuer: idp.issuer, client_id: idp.clientId };
const main = { url: postgres.url(), environment: 'development' };
const withoutPassword = postgres.url().replace(`:${postgres.password}@`, '@');
const whole = { identity, connections: { main }, default_connection: 'main' };

async function setUp(t: Test, variables: Readonly<Record<string, string>> = {}) {
  const workspace = makeWorkspace(variables);
  t.teardown(() => workspace.remove());
  workspace.configure(whole);
  await workspace.login(idp);
  const config = join(workspace.project, 'dbguard.yaml');
  const open = (port = 0, named: string | null = config) =>
    openGuard(
      {
        stdin: new PassThrough(),
        stdout: new PassThrough(),
        stderr: new PassThrough(),
        env: workspace.env,
        cwd: workspace.project,
      },
      {
        config: named ?? undefined,
        agent: 'test',
        listen: { host: '127.0.0.1', port },
        password: 'loopback',
        asker: { ask: () => Promise.reject(new Error('nobody asks')) } as never,
        endSession: () => {},
        onTrouble: () => {},
      },
    );
  return { workspace, open };
}

/** What this process holds open of those things that a guard opens. */
function held(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|Pipe|Timeout|Process/.test(name))
    .sort();
}

async function leavesNothing(t: Test, home: string, before: readonly string[]): Promise<void> {
  const more = (): string[] => {
    const rest = [...before];
    return held().filter((name) => {
      const at = rest.indexOf(name);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  for (let tries = 0; tries < 100 && more().length > 0; tries++) await sleep(100);
  t.same(more(), [], 'no socket, server, timer or process');
  t.same(filesOf(join(home, 'run')), [], 'no socket file');
  for (const folder of sessionFolders(join(home, 'state', 'spool', 'v1'))) {
    t.ok(takeSpool(folder), 'what is left in the spool is nobody’s');
  }
  const [row] = await postgres.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'dbguard%'",
  );
  t.equal(row?.n, 0, 'no connection');
}

function sessionFolders(root: string): string[] {
  const lists = (path: string): string[] => {
    try {
      return readdirSync(path).map((name) => join(path, name));
    } catch {
      return [];
    }
  };
  return lists(root).flatMap(lists);
}

function filesOf(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

type World = Awaited<ReturnType<typeof setUp>>;

/** What goes wrong, in the order of the steps; returns how to open the guard then. */
const faults: Readonly<Record<string, { code: string; make(world: World): Promise<() => Promise<Guard>> }>> = {
  'nobody is logged in': {
    code: 'login-required',
    async make({ workspace, open }) {
      await workspace.dbguard(['logout']);
      return open;
    },
  },
  'the repository is not trusted': {
    code: 'not-trusted',
    async make({ workspace, open }) {
      // the person's own password, and a file that says where it goes
      workspace.configure({ ...whole, connections: { main: { ...main, url: withoutPassword } } });
      return () => open(0, null);
    },
  },
  'the server refuses the password': {
    code: 'upstream-auth',
    async make({ workspace, open }) {
      const url = postgres.url(undefined, undefined, 'wrong');
      workspace.configure({ ...whole, connections: { main: { ...main, url } } });
      return open;
    },
  },
  'the spool cannot be written': {
    code: 'config-invalid',
    async make({ workspace, open }) {
      const spool = join(workspace.home, 'state', 'spool');
      rmSync(spool, { recursive: true, force: true });
      writeFileSync(spool, 'a file where a folder should be');
      return open;
    },
  },
  'the bucket does not take the opening entry': {
    code: 'bucket-unreachable',
    async make({ workspace, open }) {
      writeFileSync(join(workspace.bucket, 'v1'), 'a file where a folder should be');
      return open;
    },
  },
  'the port is taken': {
    code: 'listen-failed',
    async make({ open }) {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      t.teardown(() => other.close());
      const address = other.address();
      return () => open(typeof address === 'object' && address ? address.port : 1);
    },
  },
};

for (const [what, { code, make }] of Object.entries(faults)) {
  t.test(what, async (t) => {
    const world = await setUp(t, { PGPASSWORD: postgres.password });
    const start = await make(world);
    const before = held();
    const error = await start().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    t.type(error, DbguardError);
    t.equal(error instanceof DbguardError && error.code, code);
    await leavesNothing(t, world.workspace.home, before);
  });
}

t.test('a password command that fails, whenever it does', async (t) => {
  const { workspace, open } = await setUp(t);
  const script = join(workspace.project, 'password.sh');
  const runs = join(workspace.project, 'runs');
  workspace.configure({ ...whole, connections: { main: { ...main, url: withoutPassword, password_command: script } } });
  for (let good = 0; ; good++) {
    writeFileSync(runs, '');
    writeFileSync(
      script,
      `#!/bin/sh\necho run >> '${runs}'\n[ "$(wc -l < '${runs}')" -le ${good} ] || exit 1\necho '${postgres.password}'\n`,
    );
    chmodSync(script, 0o700);
    const before = held();
    const guard = await open().catch(() => undefined);
    if (guard === undefined) {
      await leavesNothing(t, workspace.home, before);
      continue;
    }
    t.ok(good > 0, 'it is asked');
    t.match(await guard.close(), { left: 0 });
    await leavesNothing(t, workspace.home, before);
    break;
  }
});

t.test('closing twice, and closing at once', async (t) => {
  const { workspace, open } = await setUp(t);
  const before = held();
  const guard = await open();
  const [one, other] = await Promise.all([guard.close(), guard.close()]);
  t.ok(one.uploaded > 0);
  t.same(other, one, 'who asks again hears how it really ended');
  await leavesNothing(t, workspace.home, before);
});
