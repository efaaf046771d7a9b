/**
 * An agent in the fence of `dbguard run --sandbox` that tries what nothing else stops a process of the same user from doing. Each
 * way is shown to work without the fence first.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer } from '../e2e/developer.js';
import { dbguardProgram } from '../helpers/repository.js';
import { Terminal } from '../helpers/terminal.js';

const found = await findFenceProgram(process.env);
if ('obstacle' in found) {
  t.plan(0, `no fence on this machine: ${found.obstacle.why}`);
  process.exit(0);
}

const { workspace, postgres, config } = await developer(t);
const { project } = workspace;
const home = workspace.env.HOME ?? '';
await postgres.query('CREATE TABLE orders (id int PRIMARY KEY)');
mkdirSync(join(project, '.git'));
workspace.configure({ ...config, bucket: 'file:./transcripts' });

/** Outside, and older than any run: a server behind a socket, a program with a terminal. */
const outside = mkdtempSync(join(tmpdir(), 'dbg-out-'));
const sockets = { docker: join(outside, 'docker.sock'), bus: join(outside, 'bus'), agent: join(outside, 'agent.sock') };
const servers = await Promise.all(Object.values(sockets).map(listen));
const terminal = new Terminal('/bin/sh', ['-c', 'tty; exec sleep 1000'], {
  cwd: outside,
  env: { SECRET: 'of-the-outside' },
});
const tty = /\/dev\/pts\/\d+/.exec(await terminal.shows('/dev/pts/'))?.[0] ?? '';
t.teardown(async () => {
  terminal.kill();
  for (const server of servers) server.close();
  rmSync(outside, { recursive: true, force: true });
});

for (const folder of ['.ssh', '.aws', '.gnupg', '.claude', 'other-project'])
  mkdirSync(join(home, folder), { mode: 0o700 });
for (const [file, text] of Object.entries({
  '.pgpass': '*:*:*:*:SECRET\n',
  '.ssh/id_ed25519': 'SECRET\n',
  '.aws/credentials': 'SECRET\n',
  '.gnupg/secring': 'SECRET\n',
  '.bashrc': 'export DATABASE_URL=SECRET\n',
  'other-project/.env': 'SECRET\n',
})) {
  writeFileSync(join(home, file), text, { mode: 0o600 });
}
symlinkSync(join(home, '.ssh/id_ed25519'), join(project, 'notes.txt'));
symlinkSync(join(home, '.ssh'), join(project, 'folder'));

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.end('SECRET'));
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

const say = (path: string): string =>
  `node -e "require('net').connect('${path}').on('data', (d) => console.log(String(d))).on('error', (e) => console.log(e.code))"`;
const bare = 'env -i PATH="$PATH" HOME="$HOME"';

/** What an agent runs, and the sign that it worked. */
const attacks: Readonly<Record<string, readonly [command: string, sign: RegExp]>> = {
  'reads .pgpass': ['cat ~/.pgpass', /SECRET/],
  'reads a key': ['cat ~/.ssh/id_ed25519', /SECRET/],
  'reads a cloud’s credentials': ['cat ~/.aws/credentials', /SECRET/],
  'reads a keyring': ['cat ~/.gnupg/secring', /SECRET/],
  'reads what the shell is started with': ['cat ~/.bashrc', /SECRET/],
  'reads another project': ['cat ~/other-project/.env', /SECRET/],
  'reads through a link in the project': ['cat notes.txt folder/id_ed25519', /SECRET/],
  'reads dbguard’s login': [
    `cat ${workspace.home}/state/*/* ${workspace.home}/state/* | wc -c | sed 's/^0$/none/'`,
    /^\d+$/m,
  ],
  'reads the transcripts': ['ls -R transcripts | grep -c .jsonl', /^[1-9]/m],
  'plants a key': ['echo x > ~/.ssh/authorized_keys && cat folder/authorized_keys', /^x$/m],
  'changes the rules': ['echo "# looser" >> dbguard.yaml && echo DONE', /DONE/],
  'moves the rules away': ['mv dbguard.yaml away && echo DONE && mv away dbguard.yaml', /DONE/],
  'changes a program': [`touch "$(dirname "$(command -v node)")/../share" && echo DONE`, /DONE/],
  'sees the process that guards it': [
    `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c "[d]bguard run -" `,
    /^[1-9]/m,
  ],
  'reads the memory of a process outside': [`head -c 1 /proc/${terminal.pid}/environ | wc -c`, /^1$/m],
  'signals a process outside': [`kill -0 ${terminal.pid} && echo DONE`, /DONE/],
  'writes to a terminal': [`[ -c ${tty} ] && echo x > ${tty} && echo DONE`, /DONE/],
  'drives a multiplexer': [
    `tmux -S ${outside}/tmux new-session -d 'sleep 60' 2>&1; [ -S ${outside}/tmux ] && echo DONE`,
    /DONE/,
  ],
  'asks the container’s daemon': [say(sockets.docker), /SECRET/],
  'asks the session’s bus': [say(sockets.bus), /SECRET/],
  'asks the agent for keys': ['[ -n "$SSH_AUTH_SOCK" ] && echo "DONE $SSH_AUTH_SOCK"', /DONE/],
  'finds the way to the bus': ['[ -n "$DBUS_SESSION_BUS_ADDRESS" ] && echo DONE', /DONE/],
  'leaves a task for later': ['ls -d /var/spool/cron || ls -d /var/spool', /^\/var\/spool/m],
  'undoes it in a namespace of its own': [
    `unshare -Urm sh -c 'umount -l "$HOME"; cat "$HOME/.pgpass"' || cat ~/.pgpass`,
    /SECRET/,
  ],
  'reaches a disk': [
    'ls /dev | grep -cE "^(mem|kmsg|sd[a-z]|vd[a-z]|nvme.*|dm-.*|loop.*|kvm|fuse)$" | sed "s/^0$/none/"',
    /^\d+$/m,
  ],
};

const environment = { SSH_AUTH_SOCK: sockets.agent, DBUS_SESSION_BUS_ADDRESS: `unix:path=${sockets.bus}` };

async function tryAll(flags: readonly string[]): Promise<Map<string, string>> {
  const script = Object.entries(attacks).map(([name, [command]]) => `echo '<${name}>'; ( ${command} ) 2>&1`);
  writeFileSync(join(project, 'attacks.sh'), script.join('\n'));
  const { stdout, stderr } = await workspace.dbguard(['run', ...flags, '--', 'sh', 'attacks.sh'], { env: environment });
  t.match(stdout, '<reads .pgpass>', String(stderr));
  const parts = String(stdout)
    .split(/^<(.*)>$/m)
    .slice(1);
  return new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ''] as const] : [])));
}

t.test('each way works without the fence, and leads nowhere inside of it', async (t) => {
  const fenced = await tryAll(['--sandbox']);
  const free = await tryAll([]);
  for (const [name, [, sign]] of Object.entries(attacks)) {
    t.match(free.get(name), sign, `${name}: it would work`);
    t.notMatch(fenced.get(name) ?? '', sign, `${name}: it does not`);
  }
});

t.test(
  'a fence is what a run has unless somebody says otherwise; where it cannot be had, a line says so',
  async (t) => {
    workspace.configure({ ...config, bucket: 'file:./transcripts', sandbox: undefined });
    const named = join(home, 'report.sql');
    writeFileSync(named, "SELECT 'report'");
    const usual = await workspace.dbguard(['run', '--', 'sh', '-c', 'cat ~/.pgpass 2>&1; cat "$0"', named]);
    t.match(usual.stderr, 'dbguard: in a fence');
    t.notMatch(usual.stdout, 'SECRET');
    t.match(usual.stdout, "SELECT 'report'", 'what the command names is there');
    const without = await workspace.dbguard(['run', '--no-sandbox', '--', 'cat', join(home, '.pgpass')]);
    t.match(without.stdout, 'SECRET');
    const named2 = await workspace.dbguard(['run', '--', 'cat', join(home, '.pgpass')]);
    t.notMatch(named2.stdout, 'SECRET', 'but for a secret');
    const config2 = join(project, 'dbguard.yaml');
    const athome = await workspace.dbguard(['run', '--config', config2, '--', 'echo', 'STARTED'], { cwd: home });
    t.match(athome.stderr, /no fence here: .*your home folder would be open/);
    t.match(athome.stdout, 'STARTED');
    const strict = await workspace.dbguard(['run', '--sandbox', '--config', config2, '--', 'echo', 'STARTED'], {
      cwd: home,
    });
    t.notMatch(strict.stdout, 'STARTED');
    workspace.configure({ ...config, bucket: 'file:./transcripts' });
  },
);

t.test('work that went another way is noticed', async (t) => {
  const straight = Array.from({ length: 8 }, () => `psql '${postgres.url()}' -Atc 'SELECT 1'`).join('; ');
  const around = await workspace.dbguard(['run', '--', 'sh', '-c', straight]);
  t.match(around.stderr, /nothing came through dbguard, and there were \d+ connections to the database from elsewhere/);
  const idle = await workspace.dbguard(['run', '--', 'true']);
  t.notMatch(idle.stderr, 'nothing came through');
});

t.test('a run in a run is refused, with nothing in its environment as well', async (t) => {
  writeFileSync(join(home, 'dbguard.yaml'), '');
  const inner = `${bare} DBGUARD_HOME=${workspace.home} ${process.execPath} ${dbguardProgram} run -- echo STARTED`;
  const { stdout } = await workspace.dbguard(['run', '--sandbox', '--', 'sh', '-c', `${inner} 2>&1; echo over`]);
  t.match(stdout, 'over');
  t.notMatch(stdout, 'STARTED');
});

t.test('places that an agent has replaced before open nothing', async (t) => {
  rmSync(join(home, '.claude'), { recursive: true });
  symlinkSync(join(home, '.ssh'), join(home, '.claude'));
  const bin = join(project, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'claude'), '#!/bin/sh\ncat ~/.claude/id_ed25519 ~/.ssh/id_ed25519\necho over\n');
  chmodSync(join(bin, 'claude'), 0o755);
  const { stdout } = await workspace.dbguard(['run', '--sandbox', '--', 'bin/claude']);
  t.equal(stdout, 'over');
  const path = `${join(home, '.ssh')}:${home}:${process.env.PATH}`;
  const again = await workspace.dbguard(['run', '--sandbox', '--', 'bin/claude'], { env: { PATH: path } });
  t.equal(again.stdout, 'over', 'nor a search path');
});

t.test('a daemon of before is out of reach; what the agent keeps is kept', async (t) => {
  const control = join(home, '.codex/app-server-control');
  mkdirSync(control, { recursive: true });
  const daemon = await listen(join(control, 'app-server-control.sock'));
  const other = await listen(join(home, '.codex/other.sock'));
  t.teardown(() => void [daemon, other].map((server) => server.close()));
  const asks = ['app-server-control/app-server-control.sock', 'other.sock'].map((name) =>
    say(join(home, '.codex', name)),
  );
  const program = join(project, 'bin/codex');
  writeFileSync(program, `#!/bin/sh\n${asks.join('\n')}\necho kept > ~/.codex/history\necho over\n`);
  chmodSync(program, 0o755);
  const free = await workspace.dbguard(['run', '--', 'bin/codex']);
  t.match(free.stdout, /SECRET\nSECRET\nover/, 'it would take the work');
  rmSync(join(home, '.codex/history'));
  const fenced = await workspace.dbguard(['run', '--sandbox', '--', 'bin/codex']);
  t.notMatch(fenced.stdout, 'SECRET');
  t.match(fenced.stdout, 'over');
  t.ok(existsSync(join(home, '.codex/history')));
});

t.test('the work goes on as without it', async (t) => {
  const works = {
    psql: ['psql -Atc "INSERT INTO orders VALUES (1)"', 'INSERT 0 1'],
    'the unix socket': ['psql -Atc "SELECT 40 + 2" -h "$(dirname "$PGPASSFILE")"', '42'],
    node: ['node -p "6 * 7 + require(\'pg\').defaults.port"', '5474'],
    python: ['python3 -c "print(6 * 7)"', '42'],
    git: [
      'rm -rf .git && git init -q . && git add -A . && git -c user.name=a -c user.email=a@b commit -qm x && git log --oneline | wc -l',
      '1',
    ],
    names: ['getent hosts localhost >/dev/null && whoami', /^\w+$/],
    'a temporary file': ['f=$(mktemp) && echo 1 > "$f" && cat "$f"', '1'],
  } as const;
  const script = Object.entries(works).map(([name, [command]]) => `echo '<${name}>'; ${command} 2>&1`);
  const { stdout, stderr, exitCode } = await workspace.dbguard(
    ['run', '--sandbox', '--', 'sh', '-c', `${script.join('\n')}\nexit 7`],
    { env: { NODE_PATH: join(dbguardProgram, '../../node_modules') } },
  );
  for (const [name, [, answer]] of Object.entries(works)) {
    t.match(String(stdout).split(`<${name}>\n`)[1]?.split('\n<')[0]?.trim(), answer, name);
  }
  t.equal(exitCode, 7);
  t.match(stderr, 'dbguard: in a fence');
});
