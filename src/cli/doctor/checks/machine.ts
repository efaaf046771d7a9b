/** Node, the terminal, the debugger and core dumps. */
import { readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { ttyStreams } from '../../../io/terminal/terminal.js';
import { drawsSigns } from '../../print/printable-output.js';
import { dbguardVersion } from '../../version.js';
import { type Check, failure, type Line, ok, warning } from '../check.js';

const testedMajors: readonly number[] = [20, 22, 24];
const untested: readonly NodeJS.Platform[] = ['darwin', 'win32'];

export const node: Check = {
  name: 'node',
  async run() {
    const { version, platform, arch } = process;
    const major = Number(process.versions.node.split('.')[0]);
    const what = `dbguard ${dbguardVersion} on Node ${version}, ${platform} ${arch}`;
    const lines: Line[] = testedMajors.includes(major)
      ? [ok(what)]
      : [
          warning(
            `${what}: tried out with ${testedMajors.join(', ')} only`,
            'Install one of these: https://nodejs.org',
          ),
        ];
    if (untested.includes(platform))
      lines.push(
        warning(
          `${platform} is not among what the tests run on`,
          'Tell what you see; what cannot be done there is refused.',
        ),
      );
    return lines;
  },
};

export const terminal: Check = {
  name: 'terminal',
  async run({ context }) {
    const { stdout, env } = context;
    if (ttyStreams(context) === undefined)
      return [
        warning(
          'none here: prompts cannot be shown beside the agent',
          'Answer from another terminal: dbguard approvals',
        ),
      ];
    const width = stdout.columns ?? 80;
    const signs = drawsSigns(env) ? '' : ', ASCII signs (the locale is not UTF-8)';
    const what = `${width} columns, TERM=${env.TERM ?? ''}${signs}`;
    if (env.TERM === 'dumb')
      return [warning(`${what}: no screen for prompts`, 'Answer from another terminal: dbguard approvals')];
    return [width < 60 ? warning(`${what}: prompts want 60 and more`, 'Make the window wider.') : ok(what)];
  },
};

export const memory: Check = {
  name: 'debugger',
  async run() {
    const lines: Line[] = [];
    if (inspector.url() !== undefined)
      lines.push(failure('a debugger is open in this process', 'Start it without --inspect.'));
    else lines.push(ok('no debugger can attach by Node’s own ways'));
    const soft = coreLimit();
    if (soft === undefined) lines.push(ok('core files are left to the system’s settings'));
    else if (soft === '0') lines.push(ok('no core file is written'));
    else
      lines.push(
        warning(
          `core files of up to ${soft} bytes may be written, with keys in them`,
          'Start bin/dbguard itself, which forbids that, or: ulimit -S -c 0',
        ),
      );
    const scope = setting('/proc/sys/kernel/yama/ptrace_scope');
    if (scope === '0')
      lines.push(
        warning(
          'any program of yours may attach to any other (kernel.yama.ptrace_scope is 0); in the fence the agent cannot',
          'sudo sysctl -w kernel.yama.ptrace_scope=1',
        ),
      );
    return lines;
  },
};

function coreLimit(): string | undefined {
  return /^Max core file size\s+(\S+)/m.exec(setting('/proc/self/limits') ?? '')?.[1];
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
