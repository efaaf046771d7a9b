/** `dbguard whoami`: the stored login, without asking the issuer. */

import { thumbprint } from '../../identity/binding.js';
import type { Login } from '../../identity/identity.js';
import { loginRequired } from '../../identity/login-source.js';
import { isLocal, subjectInFull } from '../../identity/subject-name.js';
import { openTokenStore } from '../../io/login/token-store.js';
import { printable } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { describeLevel, describeTime, describeWho } from '../print/login-words.js';
import { folded } from '../print/text.js';
import { chooseProfile, findIdentitySettings } from '../settings/identity-settings.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'whoami'>,
): Promise<number> {
  const store = openTokenStore(context.env);
  const named = typeof options.profile === 'string' ? options.profile : undefined;
  const profile = named ?? chooseProfile(await findIdentitySettings(context, options), store.profiles());
  const login = profile === undefined ? undefined : await store.get(profile);
  if (profile === undefined || !login) throw loginRequired();
  const text = options.json ? asJson(login, profile, store.description) : asText(login, profile, store.description);
  context.stdout.write(`${options.json ? text : folded(text, context.stdout, 12)}\n`);
  return 0;
}

function asText(login: Login, profile: string, kept: string): string {
  const { subject, method, loggedInAt, expiresAt } = login;
  const over = expiresAt <= Date.now();
  const end = `${over ? 'ended' : 'valid until'} ${describeTime(expiresAt)}`;
  const renewal = login.refreshToken === undefined ? '' : over ? ', will be renewed' : ', renewed by itself';
  const local = isLocal(subject);
  const made = `made on this machine, ${describeTime(loggedInAt)}; "dbguard init" sets up an identity provider`;
  const rows = [
    local ? ['key made', made] : ['login', `${method ?? 'device'}, ${describeTime(loggedInAt)}; ${end}${renewal}`],
    ['evidence', describeLevel(login)],
    ['key', thumbprint(login.loginKey)],
    ['kept in', kept],
    ['profile', printable(profile)],
  ];
  const title = local
    ? subjectInFull(subject)
    : `${describeWho(login)} (${printable(subject.sub, 80)} at ${printable(subject.iss)})`;
  return [title, ...rows.map(([label, value]) => `  ${label?.padEnd(9)} ${value}`)].join('\n');
}

function asJson(login: Login, profile: string, kept: string): string {
  const { subject, level, clientId, method, loggedInAt, expiresAt } = login;
  return JSON.stringify(
    {
      subject,
      level,
      clientId,
      method: method ?? 'device',
      loggedInAt: new Date(loggedInAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      expired: expiresAt <= Date.now(),
      renewable: login.refreshToken !== undefined,
      keyThumbprint: thumbprint(login.loginKey),
      profile,
      keptIn: kept,
    },
    undefined,
    2,
  );
}
