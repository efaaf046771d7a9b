/** What a connection proves itself with, and what it accepts from the server. */
import { join } from 'node:path';
import { type AuthMethod, authMethods } from './auth-method.js';
import type { UpstreamAuth } from './config.js';
import { invalid } from './conninfo.js';
import type { Settings } from './keywords.js';
import { Secret } from './secret.js';
import { list, oneOf } from './setting-values.js';

/** Throws DbguardError `config-invalid`. */
export function resolveAuth(
  settings: Settings,
  passwordCommand: string | readonly string[] | undefined,
  home: string,
): UpstreamAuth {
  const password = settings.get('password');
  return {
    password: password ? new Secret(password) : undefined,
    passwordCommand: typeof passwordCommand === 'string' ? splitCommand(passwordCommand) : passwordCommand,
    minted: undefined,
    passfile: settings.get('passfile') || defaultPassfile(home),
    channelBinding: oneOf(settings, 'channel_binding', ['disable', 'prefer', 'require'], 'prefer'),
    requireAuth: readRequireAuth(settings),
    scramClientKey: scramKey(settings, 'scram_client_key'),
    scramServerKey: scramKey(settings, 'scram_server_key'),
    oauthIssuer: settings.get('oauth_issuer') || undefined,
    oauthScope: settings.get('oauth_scope') || undefined,
  };
}

function defaultPassfile(home: string): string {
  return process.platform === 'win32'
    ? join(home, 'AppData', 'Roaming', 'postgresql', 'pgpass.conf')
    : join(home, '.pgpass');
}

function scramKey(settings: Settings, keyword: 'scram_client_key' | 'scram_server_key'): Secret | undefined {
  const value = settings.get(keyword);
  if (!value) return undefined;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== value) {
    throw invalid(`${keyword} is not the base64 form of 32 bytes`, 'Take it from the SCRAM exchange it belongs to.');
  }
  return new Secret(value);
}

/** A list of methods that are fine, or, with `!`, of methods that are not; the two cannot be mixed. */
function readRequireAuth(settings: Settings): AuthMethod[] | undefined {
  const items = list(settings, 'require_auth').map((item) => item.trim());
  if (items.length === 0) return undefined;
  const negated = items.filter((item) => item.startsWith('!'));
  if (negated.length > 0 && negated.length < items.length) {
    throw invalid('require_auth mixes methods with and without "!"', 'Use one form for all.');
  }
  const named = items.map((item) => {
    const method = authMethods.find((known) => known === item.replace(/^!/, ''));
    if (!method) throw invalid('require_auth names an unknown method', `It takes ${authMethods.join(', ')}.`);
    return method;
  });
  if (new Set(named).size < named.length) throw invalid('require_auth names a method twice', 'Name each one once.');
  return negated.length > 0 ? authMethods.filter((method) => !named.includes(method)) : named;
}

/** Words at blanks; quotes hold one together. Nothing is expanded: no shell is involved. */
function splitCommand(line: string): string[] {
  const word = /\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)(?=\s|$)/y;
  const words: string[] = [];
  while (line.slice(word.lastIndex).trim() !== '') {
    const match = word.exec(line);
    if (!match) throw invalid('password_command has an unterminated quote', 'Close it, or give a list of words.');
    words.push((match[1] ?? '').replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}
