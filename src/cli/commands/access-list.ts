/** `dbguard access list`: which roles the active runs have for a time, and which they could be given. */
import { durationWords } from '../../policy/units.js';
import { type RunOfWindows, WindowLinks } from '../approvals/window-links.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'access list'>,
): Promise<number> {
  const links = await WindowLinks.open(context.env);
  try {
    const runs = await links.all();
    if (options.json === true) {
      const list = runs.map(({ link, windows }) => ({ run: link.run, access: windows }));
      context.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    } else context.stdout.write(runs.length === 0 ? 'No dbguard run is active.\n' : runs.map(textOf).join(''));
    return 0;
  } finally {
    links.close();
  }
}

function textOf({ link, windows }: RunOfWindows): string {
  const { sid, agent, connection } = link.run;
  const lines = windows.map(({ access, role, longestMs, leftMs, reason }) => {
    const why = reason === undefined ? '' : ` (${reason})`;
    const as = role === undefined ? '' : `, as ${role}`;
    return leftMs === undefined
      ? `  ${access}: may be given for up to ${durationWords(longestMs)}${as}`
      : `  ${access}: ${role === undefined ? 'granted' : `as ${role}`}, ${durationWords(leftMs)} left${why}`;
  });
  const none = ['  nothing can be given for a time: no entry of access has "for", and the connection is open'];
  return [`${sid.slice(0, 8)}  ${agent} on ${connection}`, ...(lines.length > 0 ? lines : none), ''].join('\n');
}
