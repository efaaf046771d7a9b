import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openClientProcesses } from '../../../src/io/peer/client-processes.js';
import { inodeIn } from '../../../src/io/peer/tcp-peers.js';

const linux = process.platform === 'linux';
const unix = linux && existsSync('/usr/bin/perl');

/** A program of two: a shell that has another one connect, with the session's id of an agent in its environment. */
function client(where: string, env: Record<string, string> = {}): ChildProcess {
  const code = 'const [where]=process.argv.slice(1);require("net").connect(+where||where)';
  return spawn('/bin/sh', ['-c', '"$0" -e "$1" "$2" --password=hunter22; true', process.execPath, code, where], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
}

async function listening(where: string | number): Promise<Server> {
  const server = createServer();
  server.listen(typeof where === 'number' ? { host: '127.0.0.1', port: where } : { path: where });
  await once(server, 'listening');
  return server;
}

async function accepted(server: Server): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  return socket;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

t.test(
  'the process behind a connection is found, with who started it',
  { skip: !linux && 'needs /proc' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'peer-'));
    const processes = openClientProcesses();
    const tcp = await listening(0);
    const local = await listening(join(folder, 's'));
    t.teardown(() => {
      processes.close();
      tcp.close();
      local.close();
      rmSync(folder, { recursive: true });
    });
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const cases = [
      ['TCP', tcp, String(portOf(tcp))],
      ...(unix ? ([['a unix socket', local, join(folder, 's')]] as const) : []),
    ] as const;
    for (const [name, server, where] of cases) {
      await t.test(name, async (t) => {
        const shell = client(where, { CLAUDE_CODE_SESSION_ID: 'session-1', TRACEPARENT: trace });
        const socket = await accepted(server);
        const found = await processes.of(socket);
        t.match(found?.program, /^node/);
        t.equal(found?.ancestors.length, 1, 'up to this process, which is not among them');
        t.match(found?.ancestors[0]?.args, ['/bin/sh', '-c']);
        t.equal(found?.agentSession, 'session-1');
        t.equal(found?.trace, trace);
        t.ok(found?.args.includes(where));
        const over = once(shell, 'exit');
        socket.destroy();
        await over;
      });
    }

    await t.test('several at once, each its own', async (t) => {
      const shells = Array.from({ length: 8 }, () => client(unix ? join(folder, 's') : String(portOf(tcp))));
      const sockets: Socket[] = [];
      await new Promise<void>((resolve) => {
        (unix ? local : tcp).on('connection', (socket) => {
          sockets.push(socket);
          if (sockets.length === shells.length) resolve();
        });
      });
      const found = await Promise.all(sockets.map((socket) => processes.of(socket)));
      t.equal(new Set(found.map((one) => one?.pid)).size, shells.length);
      const over = shells.map((shell) => once(shell, 'exit'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(over);
    });

    await t.test('who has gone is not found, and nothing is said of anybody else', async (t) => {
      const code = `require("net").connect(${portOf(tcp)})`;
      const program = spawn(process.execPath, ['-e', code], { stdio: 'ignore' });
      const socket = await accepted(tcp);
      socket.on('error', () => undefined);
      program.kill('SIGKILL');
      await once(program, 'exit');
      t.equal(await processes.of(socket), undefined);
      socket.destroy();
    });

    await t.test('this process itself', async (t) => {
      const client = connect(portOf(tcp), '127.0.0.1');
      const socket = await accepted(tcp);
      t.equal((await processes.of(socket))?.pid, process.pid);
      client.destroy();
      socket.destroy();
    });
  },
);

t.test('a row of /proc/net/tcp is found by both ports, and never another one', async (t) => {
  const row = (local: string, remote: string, state: string, inode: number): string =>
    `   1: 0100007F:${local} 0100007F:${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    row('1538', '8A2C', '01', 7),
    row('8A2C', '1538', '01', 48011),
    row('8A2D', '1538', '06', 0),
    row('18A2', '1538', '01', 9),
  ].join('\n');
  t.equal(inodeIn(table, 0x8a2c, 0x1538), '48011');
  t.equal(inodeIn(table, 0x8a2d, 0x1538), undefined, 'one that has ended');
  t.equal(inodeIn(table, 0x8a2, 0x1538), undefined);
  t.equal(inodeIn('', 1, 2), undefined);
});
