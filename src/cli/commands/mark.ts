/** `dbguard mark`: the words that every true prompt carries, chosen by the person and kept with their login. */

import { DbguardError } from '../../errors.js';
import { loginRequired } from '../../identity/login-source.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { LOCAL_PROFILE, localLogins } from '../../io/login/local-logins.js';
import { profileName } from '../../io/login/oidc-login-source.js';
import { openTokenStore } from '../../io/login/token-store.js';
import type { CommandContext } from '../command.js';
import { findIdentitySettings } from '../settings/identity-settings.js';
import { askForMark } from '../settings/mark-question.js';
import { canAsk } from '../settings/trusted.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'mark'>,
): Promise<number> {
  const around = enclosingRun(context.env);
  if (around !== undefined) {
    throw new DbguardError('usage', `this is inside of a dbguard run (${around})`, {
      hint: 'The words are the person’s to choose, in a terminal of their own.',
    });
  }
  const settings = await findIdentitySettings(context, options);
  const store = openTokenStore(context.env);
  const profile = settings === undefined ? LOCAL_PROFILE : profileName(settings);
  if (settings === undefined) await localLogins(context.env).load();
  if ((await store.get(profile)) === undefined) throw loginRequired();
  if (!canAsk(context)) {
    throw new DbguardError('usage', 'there is no terminal to ask at', {
      hint: 'Run dbguard mark in a terminal: words on a command line or in a file would not stay yours.',
    });
  }
  const mark = await askForMark(context);
  if (mark === undefined) {
    context.stdout.write('The words of your prompts stay as they were.\n');
    return 0;
  }
  await store.update(profile, async (current) => {
    if (current === undefined) throw loginRequired();
    return { ...current, mark };
  });
  context.stdout.write('Every prompt carries them, from the next run on.\n');
  return 0;
}
