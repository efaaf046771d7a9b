/** `dbguard access end NAME`: from now on its statements are asked about again, and one that runs is cancelled. */
import { DbguardError } from '../../errors.js';
import { WindowLinks } from '../approvals/window-links.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  [access = '']: readonly string[],
  options: OptionsOf<'access end'>,
): Promise<number> {
  const links = await WindowLinks.open(context.env);
  try {
    const { link } = await links.one(access, textOption(options, 'session'));
    const answer = await links.ask(link, { type: 'end-window', access });
    if (answer?.type !== 'window-ended')
      throw new DbguardError('denied', 'the run does not answer', {
        hint: 'Ending the run ends all that it was given.',
      });
    context.stdout.write(`${access}: ${answer.wasOpen ? 'ended' : 'was not given, or is over already'}.\n`);
    return 0;
  } finally {
    links.close();
  }
}
