/** The fence as a plan and as arguments: pure functions, so this runs where there is neither bubblewrap nor seatbelt. */
import fc from 'fast-check';
import t from 'tap';
import { agentOf } from '../../../src/run/agents/agents.js';
import { agentPlaces } from '../../../src/run/fence/agent-places.js';
import { fencedEnvironment } from '../../../src/run/fence/environment.js';
import { bubblewrapArguments } from '../../../src/run/fence/linux.js';
import { seatbeltProfile } from '../../../src/run/fence/macos.js';
import { contains, parentOf, within } from '../../../src/run/fence/paths.js';
import { homeSecrets } from '../../../src/run/fence/places.js';
import { type FencePlan, type FenceRequest, type Look, planFence } from '../../../src/run/fence/plan.js';
import { packageOf, toolFolder } from '../../../src/run/fence/tools.js';
import { whyNot } from '../../../src/run/fence/why-not.js';

/** A machine as a table: folders end with a slash, links have what stands in them. */
function machine(table: Readonly<Record<string, string | true>>): Look {
  const kinds = new Map(Object.keys(table).map((path) => [path.replace(/(.)\/$/, '$1'), path]));
  const resolve = (path: string, left = 20): string | undefined => {
    if (path === '/') return '/';
    const above = resolve(parentOf(path), left);
    if (above === undefined || left === 0) return undefined;
    const real = within(above, path.slice(path.lastIndexOf('/') + 1));
    const known = kinds.get(real);
    if (known === undefined) return [...kinds.keys()].some((one) => contains(real, one)) ? real : undefined;
    const link = table[known];
    if (typeof link !== 'string') return real;
    return resolve(link.startsWith('/') ? link : within(above, link), left - 1);
  };
  return (path) => {
    const real = resolve(path);
    if (real === undefined) return undefined;
    const kind = kinds.has(real) && !kinds.get(real)?.endsWith('/') ? 'file' : 'folder';
    const above = resolve(parentOf(path)) ?? '/';
    const link = table[within(above, path.slice(path.lastIndexOf('/') + 1))];
    return typeof link === 'string' ? { real, kind, link } : { real, kind };
  };
}

const home = '/home/ada';
const tables = {
  '/usr/': true,
  '/etc/': true,
  '/bin': 'usr/bin',
  '/usr/bin/': true,
  '/run/systemd/resolve/stub-resolv.conf': true,
  '/etc/resolv.conf': '/run/systemd/resolve/stub-resolv.conf',
  '/home/ada/shop/dbguard.yaml': true,
  '/home/ada/shop/transcripts/': true,
  '/home/ada/.pgpass': true,
  '/home/ada/.ssh/': true,
  '/home/ada/.gitconfig': true,
  '/home/ada/.claude/ide/': true,
  '/home/ada/.claude.json': true,
  '/home/ada/.claude/daemon.sock': true,
  '/home/ada/.cargo/credentials.toml': true,
  '/home/ada/.cargo/bin/': true,
  '/home/ada/.nvm/versions/node/v24/bin/': true,
  '/home/ada/.nvm/versions/node/v24/bin/claude': '../lib/node_modules/@anthropic-ai/claude-code/cli.js',
  '/home/ada/.nvm/versions/node/v24/lib/node_modules/@anthropic-ai/claude-code/cli.js': true,
  '/home/ada/.npm/_npx/1f/node_modules/dbguard/bin/dbguard': true,
  '/home/ada/.npm/_npx/1f/node_modules/commander/index.js': true,
  '/home/ada/.local/state/dbguard/': true,
  '/run/user/1000/dbguard/dbg-x/': true,
  '/run/user/1000/bus': true,
  '/run/docker.sock': true,
  '/tmp/.X11-unix/X0': true,
  '/var/tmp/daemon.sock': true,
  '/var/run': '/run',
} as const;
/** Of programs outside. */
const theirSockets = ['/run/user/1000/bus', '/run/docker.sock', '/tmp/.X11-unix/X0', '/var/tmp/daemon.sock'];

const request: FenceRequest = {
  system: 'linux',
  home,
  cwd: `${home}/shop`,
  project: `${home}/shop`,
  gitFolders: [],
  program: `${home}/.nvm/versions/node/v24/bin/claude`,
  own: `${home}/.npm/_npx/1f/node_modules/dbguard/bin/dbguard`,
  searched: [`${home}/.nvm/versions/node/v24/bin`, '/usr/bin', '/bin', `${home}/.missing/bin`, '.'],
  agent: agentPlaces(agentOf(['claude'])?.agent, home, {}),
  sockets: [`${home}/.claude/daemon.sock`],
  opened: { read: [], write: [] },
  settled: [`${home}/shop/dbguard.yaml`],
  closed: [`${home}/.local/state/dbguard`, '/run/user/1000/dbguard', `${home}/shop/transcripts`, `${home}/.pgpass`],
  socketDir: '/run/user/1000/dbguard/dbg-x',
  replaced: [],
  named: [],
};

t.test('bubblewrap: the whole of one', (t) => {
  const plan = planFence(request, machine(tables));
  const words = bubblewrapArguments({ plan, terminal: true }).join(' ');
  const lines = words.replace(/ --/g, '\n--').split('\n');
  t.strictSame(lines, [
    '--unshare-user-try',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--die-with-parent',
    '--cap-drop ALL',
    '--dev /dev',
    '--proc /proc',
    '--tmpfs /tmp',
    '--tmpfs /run',
    '--ro-bind /usr /usr',
    '--symlink usr/bin /bin',
    '--ro-bind /etc /etc',
    '--tmpfs /var/tmp',
    '--tmpfs /home/ada',
    '--bind /home/ada/shop /home/ada/shop',
    '--bind /home/ada/.claude /home/ada/.claude',
    '--bind /home/ada/.claude.json /home/ada/.claude.json',
    '--ro-bind /home/ada/.gitconfig /home/ada/.gitconfig',
    '--ro-bind /home/ada/.cargo /home/ada/.cargo',
    '--ro-bind /home/ada/.nvm /home/ada/.nvm',
    '--ro-bind /run/systemd/resolve/stub-resolv.conf /run/systemd/resolve/stub-resolv.conf',
    '--ro-bind /home/ada/.npm/_npx/1f/node_modules /home/ada/.npm/_npx/1f/node_modules',
    '--ro-bind /dev/null /home/ada/.claude/daemon.sock',
    '--ro-bind /dev/null /home/ada/.cargo/credentials.toml',
    '--tmpfs /home/ada/shop/transcripts',
    '--remount-ro /home/ada/shop/transcripts',
    '--tmpfs /home/ada/.claude/ide',
    '--ro-bind /home/ada/shop/dbguard.yaml /home/ada/shop/dbguard.yaml',
    '--ro-bind /run/user/1000/dbguard/dbg-x /run/user/1000/dbguard/dbg-x',
    '--chdir /home/ada/shop',
    '--',
  ]);
  t.ok(bubblewrapArguments({ plan, terminal: false }).includes('--new-session'), 'no group of dbguard’s without a pty');
  t.end();
});

t.test('seatbelt: what is opened, and what is closed again after it', (t) => {
  const profile = seatbeltProfile(planFence({ ...request, system: 'mac' }, machine(tables)), request.socketDir);
  const lines = profile.split('\n');
  const at = (line: string): number => {
    const index = lines.indexOf(line);
    t.not(index, -1, line);
    return index;
  };
  t.match(lines.slice(0, 2), ['(version 1)', '(deny default)']);
  const project = at('(allow file-read* file-write* (subpath "/home/ada/shop"))');
  t.ok(project < at('(deny file-read* file-write* (subpath "/home/ada/shop/transcripts"))'));
  t.ok(project < at('(deny file-write* (subpath "/home/ada/shop/dbguard.yaml"))'));
  at('(allow network-outbound (remote unix-socket (subpath "/run/user/1000/dbguard/dbg-x")))');
  t.notMatch(profile, '.ssh');
  t.notMatch(profile, 'SecurityServer', 'no keychain');
  const odd = planFence(
    { ...request, system: 'mac', opened: { read: ['/o"\\d'], write: [] } },
    machine({ ...tables, '/o"\\d/': true }),
  );
  t.match(seatbeltProfile(odd, '/s'), String.raw`(subpath "/o\"\\d")`, 'a path is data');
  t.end();
});

/** What stands at a path inside of a fence: where it is outside; undefined for nothing, or something private. */
function shows({ mounts }: FencePlan, path: string): string | undefined {
  const over = mounts.findLast(({ at }) => contains(at, path));
  return over?.kind === 'read' || over?.kind === 'write' ? within(over.from, path.slice(over.at.length)) : undefined;
}

function writable({ mounts }: FencePlan, path: string): boolean {
  return mounts.findLast(({ at }) => contains(at, path))?.kind === 'write';
}

const secrets = [...homeSecrets.map((name) => within(home, name)), ...request.closed, ...theirSockets];

function leaks(plan: FencePlan, look: Look): string[] {
  const found: string[] = [];
  for (const secret of secrets) {
    const real = look(secret)?.real;
    if (real === undefined) continue;
    for (const mount of plan.mounts) {
      if ((mount.kind !== 'read' && mount.kind !== 'write') || mount.from === request.socketDir) continue;
      const inside = within(mount.at, real.slice(mount.from.length));
      if (contains(mount.from, real) && shows(plan, inside) === real) found.push(`${secret} at ${inside}`);
      if (contains(real, mount.from) && shows(plan, mount.at) === mount.from) found.push(`${secret} as ${mount.at}`);
    }
  }
  return found;
}

t.test('whatever an agent has put where the fence looks, nothing secret is shown', (t) => {
  const closed = secrets.filter((path) => !theirSockets.includes(path));
  const full = Object.fromEntries(
    homeSecrets.map((name) => [`${home}/${name}${/\.\w+$/.test(name) ? '' : '/'}`, true]),
  );
  const place = fc.constantFrom(
    ...['/', '/home', home, '/run', '/var/run', '/run/user/1000', '/etc', '/tmp', '..', '../..', './loop'],
    ...closed,
    ...closed.map(parentOf),
    ...closed.map((path) => `${path}/inner`),
  );
  const planted = fc.dictionary(
    fc.constantFrom(
      ...[
        '.claude',
        '.claude.json',
        '.claude/ide',
        '.gitconfig',
        '.nvm',
        '.local/bin',
        'go',
        'shop/x',
        'shop/dbguard.yaml',
      ].map((name) => `${home}/${name}`),
      `${home}/loop`,
    ),
    place,
  );
  fc.assert(
    fc.property(
      planted,
      fc.array(place),
      fc.option(place, { nil: undefined }),
      place,
      (links, searched, folder, program) => {
        const look = machine({ ...tables, ...full, ...links });
        const agent = agentPlaces(
          agentOf(['claude'])?.agent,
          home,
          folder === undefined ? {} : { CLAUDE_CONFIG_DIR: folder },
        );
        const plan = planFence({ ...request, searched, agent, program }, look);
        t.strictSame(leaks(plan, look), []);
      },
    ),
    { numRuns: 300 },
  );
  t.end();
});

t.test('a project or an opened folder that would show too much is refused', (t) => {
  const look = machine({ ...tables, '/home/ada/shop/out': '/home/ada' });
  const usage = { code: 'usage' };
  const shared = ['/run', '/var/run', '/run/user', '/run/user/1000', '/tmp', '/var/tmp', '/var', '/usr', '/etc'];
  for (const project of [home, '/', '/home', `${home}/shop/out`, `${home}/.local/state/dbguard`, ...shared]) {
    t.throws(() => planFence({ ...request, project }, look), usage, project);
  }
  t.throws(() => planFence({ ...request, opened: { read: ['/missing'], write: [] } }, look), usage);
  t.throws(() => planFence({ ...request, opened: { read: [], write: ['/run/user/1000/dbguard'] } }, look), usage);
  const named = planFence({ ...request, opened: { read: [`${home}/.ssh`], write: [] } }, look);
  t.equal(shows(named, `${home}/.ssh/config`), `${home}/.ssh/config`, 'a person may open a secret of theirs');
  t.end();
});

t.test('what decides over the agent is not its to change', (t) => {
  const plan = planFence(request, machine(tables));
  t.ok(writable(plan, `${home}/shop/src/a.ts`));
  t.notOk(writable(plan, `${home}/shop/dbguard.yaml`));
  t.notOk(writable(plan, '/usr/bin/psql'));
  t.equal(shows(plan, `${home}/notes`), undefined, 'the rest of the home folder is private');
  t.equal(shows(plan, `${home}/.bashrc`), undefined, 'start-up files set variables of their own');
  t.end();
});

t.test('tools: as much as one of them needs', (t) => {
  const folders: Readonly<Record<string, string | undefined>> = {
    '/home/ada/.nvm/versions/node/v24/bin': '/home/ada/.nvm/versions/node/v24',
    '/home/ada/bin': '/home/ada/bin',
    '/home/ada/.local/bin/': '/home/ada/.local/bin',
    '/home/bin': '/home/bin',
    '/srv/bin': '/srv/bin',
    '/srv/tool/sbin': '/srv/tool',
    '/home/ada/shop/node_modules/.bin': '/home/ada/shop/node_modules',
    '.': undefined,
  };
  for (const [searched, shown] of Object.entries(folders)) t.equal(toolFolder(searched, home), shown, searched);
  t.equal(packageOf('/x/lib/node_modules/@a/b/cli.js', home), '/x/lib/node_modules');
  t.equal(packageOf('/home/ada/other/run.sh', home), '/home/ada/other/run.sh');
  t.end();
});

t.test('a program that is a link has what lies around the link, too: a Python of a virtual environment', (t) => {
  const program = `${home}/venvs/shop/bin/python`;
  const look = machine({
    ...{ ...tables, [program]: '/usr/bin/python3', '/usr/bin/python3': true },
    [`${home}/venvs/shop/lib/django.py`]: true,
  });
  const plan = planFence({ ...request, program }, look);
  t.equal(shows(plan, `${home}/venvs/shop/lib/django.py`), `${home}/venvs/shop/lib/django.py`);
  t.notOk(writable(plan, program));
  t.equal(shows(plan, `${home}/venvs/other`), undefined);
  t.strictSame(leaks(plan, look), []);
  t.end();
});

t.test('variables that lead out', (t) => {
  const plan = planFence(request, machine(tables));
  const env = {
    SSH_AUTH_SOCK: '/run/user/1000/keyring/ssh',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
    TMUX: '/tmp/tmux-1000/default,1,0',
    DOCKER_HOST: 'tcp://127.0.0.1:2375',
    VSCODE_IPC_HOOK_CLI: '/x.sock',
    TOOL_OF_TOMORROW: 'socket=/run/user/1000/tool/socket',
    OLD_BUS: 'unix:abstract=/tmp/dbus-x',
    TMPDIR: '/tmp/of-mine',
    PGPASSFILE: '/run/user/1000/dbguard/dbg-x/no-passfile',
    PATH: '/run/wrappers/bin:/usr/bin',
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    ANTHROPIC_API_KEY: 'sk-x',
  };
  const { env: kept, removed } = fencedEnvironment(env, plan);
  t.strictSame(Object.keys(kept), ['PGPASSFILE', 'PATH', 'LANG', 'TERM', 'ANTHROPIC_API_KEY']);
  t.equal(removed.length, 8);
  t.end();
});

t.test('agents by their program', (t) => {
  const named = (command: readonly string[]): string | undefined => agentOf(command)?.agent.programs[0];
  t.equal(named(['/opt/x/codex', 'exec']), 'codex');
  t.equal(named(['npx', '-y', '@openai/codex@latest']), 'codex');
  t.equal(named(['npx', '@anthropic-ai/claude-code']), 'claude');
  t.equal(named(['psql']), undefined);
  t.equal(named(['sh', '-c', 'claude']), undefined);
  t.strictSame(agentPlaces(agentOf(['codex'])?.agent, home, { CODEX_HOME: '/x' }).doors, [
    '/x/app-server-control',
    '/x/app-server-daemon',
  ]);
  t.end();
});

t.test('why there is no fence: each with what to allow', (t) => {
  const said = 'bwrap: setting up uid map: Permission denied\n';
  const apparmor = { 'kernel.apparmor_restrict_unprivileged_userns': '1' } as const;
  t.match(whyNot(said, apparmor, false), { why: /AppArmor/, hint: /bwrap-userns-restrict/ });
  t.match(whyNot(said, { 'user.max_user_namespaces': '0' }, false), { hint: /user.max_user_namespaces=/ });
  t.match(whyNot(said, { 'kernel.unprivileged_userns_clone': '0' }, false), { hint: /unprivileged_userns_clone=1/ });
  t.match(whyNot(said, {}, true), { why: /container/, hint: /seccomp=unconfined/ });
  t.match(whyNot(said, {}, false), { why: /setting up uid map: Permission denied/, hint: /bwrap --unshare-user/ });
  t.end();
});
