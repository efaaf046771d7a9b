/** `dbguard access grant NAME`: statements of an active run may be its role for a time, without a question for each. */
import { DbguardError } from '../../errors.js';
import { durationWords, parseDuration } from '../../policy/units.js';
import { WindowLinks } from '../approvals/window-links.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  [access = '']: readonly string[],
  options: OptionsOf<'access grant'>,
): Promise<number> {
  const forMs = timeOf(textOption(options, 'for'));
  const reason = textOption(options, 'reason')?.trim();
  const links = await WindowLinks.open(context.env);
  try {
    const { link, window } = await links.one(access, textOption(options, 'session'));
    const opening = { ...(forMs === undefined ? {} : { forMs }), ...(reason === undefined ? {} : { reason }) };
    const answer = await links.ask(link, { type: 'open-window', access, ...opening });
    if (answer?.type !== 'window-opened')
      throw notGiven(access, answer?.type === 'window-refused' ? answer.obstacle : undefined);
    const { sid, connection } = link.run;
    const session = `session ${sid.slice(0, 8)} (${connection})`;
    const what =
      window.role === undefined
        ? `clients of ${session} can connect`
        : `statements of ${session} run as ${window.role}`;
    context.stdout.write(
      `${access}: ${what} for ${durationWords(answer.leftMs)}.\nTo end it: dbguard access end ${access}\n`,
    );
    return 0;
  } finally {
    links.close();
  }
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = parseDuration(text);
  if (time !== undefined && time >= 1000) return time;
  throw new DbguardError('usage', '--for takes a time with its unit', { hint: 'For example: --for 15m' });
}

function notGiven(access: string, obstacle: string | undefined): DbguardError {
  const why = obstacle ?? 'the run does not answer';
  const hint = obstacle === 'it needs a reason' ? 'Say why: --reason "INC-42"' : 'See dbguard help roles.';
  return new DbguardError('denied', `access ${access} is not given: ${why}`, { hint });
}
