/** What waits on this machine, room on its disk, and completions of the shell. */
import { existsSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stateDirs } from '../../../io/files/state-dirs.js';
import { listSpool } from '../../../io/spool/recovery.js';
import { waitingSegments } from '../../../io/spool/waiting.js';
import { counted } from '../../../words.js';
import { completionFiles, completionsFor } from '../../completion/shells.js';
import { completionTree } from '../../completion/tree.js';
import { type Shell, shells } from '../../completion-words.js';
import { homeOf } from '../../guard/fence.js';
import { commandEntries, groupSummaries } from '../../table.js';
import { type Check, failure, type Line, ok, warning } from '../check.js';

const MIB = 1 << 20;
const LITTLE = 500 * MIB;
const TOO_LITTLE = 50 * MIB;

export const spool: Check = {
  name: 'spool',
  async run({ context: { env } }) {
    const { state } = stateDirs(env);
    const waiting = listSpool(state).filter(({ folder }) => waitingSegments(folder).length > 0);
    const lines: Line[] =
      waiting.length === 0
        ? [ok('nothing waits on this machine')]
        : [
            warning(
              `${counted(waiting.length, 'session')} not yet in the bucket, running ones among them`,
              'dbguard upload',
            ),
          ];
    const { bavail, bsize } = statfsSync(state);
    const free = bavail * bsize;
    const room = `${Math.floor(free / MIB)} MiB free for journals in ${state}`;
    if (free < TOO_LITTLE)
      lines.push(
        failure(`${room}: a full disk stops every statement`, 'Make room, or set DBGUARD_HOME to another disk.'),
      );
    else lines.push(free < LITTLE ? warning(room, 'Make room, or set DBGUARD_HOME to another disk.') : ok(room));
    return lines;
  },
};

export const completions: Check = {
  name: 'completions',
  async run({ context }) {
    const shell = shells.find((one) => one === basename(context.env.SHELL ?? '').replace(/^pwsh$/, 'powershell'));
    if (shell === undefined) return [ok('the shell is none that there are some for')];
    const places = placesOf(shell, homeOf(context), context.env);
    const there = places.find((path) => existsSync(path));
    if (there !== undefined) return [ok(`${shell}: ${there}`)];
    const [own] = places;
    if (own === undefined) return [];
    const line = warning(
      `${shell} does not complete dbguard yet`,
      `dbguard completions ${shell} > ${own}, or: dbguard doctor --fix`,
    );
    const write = async (): Promise<string> => {
      mkdirSync(dirname(own), { recursive: true });
      writeFileSync(own, completionsFor(shell, completionTree(commandEntries, groupSummaries)), { flag: 'wx' });
      return `wrote ${own}; the next shell reads it`;
    };
    return [shell === 'zsh' ? line : { ...line, mend: write }];
  },
};

/** The user's own place first; zsh knows no such place by itself. */
function placesOf(shell: Shell, home: string, env: NodeJS.ProcessEnv): string[] {
  const data = env.XDG_DATA_HOME || join(home, '.local/share');
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  switch (shell) {
    case 'bash':
      return [join(data, 'bash-completion/completions/dbguard'), '/usr/share/bash-completion/completions/dbguard'];
    case 'fish':
      return [join(config, 'fish/completions/dbguard.fish'), '/usr/share/fish/vendor_completions.d/dbguard.fish'];
    case 'powershell':
      return [join(config, 'powershell/dbguard.ps1')];
    case 'zsh':
      return [
        join(home, '.zfunc', completionFiles.zsh),
        '/usr/local/share/zsh/site-functions/_dbguard',
        '/usr/share/zsh/site-functions/_dbguard',
      ];
  }
}
