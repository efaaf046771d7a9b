import type { EvidenceLevel, Login } from '../../identity/identity.js';
import { subjectName } from '../../identity/subject-name.js';
import { printable } from '../../untrusted-text.js';

const levelWords: Readonly<Record<EvidenceLevel, string>> = {
  nonce: 'the issuer signed the key that this machine signs with',
  dpop: 'the issuer’s access token names the key that this machine signs with',
  audience: 'the platform’s token was made for dbguard, but names no key',
  gateway: 'a token was shown to a gateway, whose key signs',
  local: 'a key of this machine alone: nobody vouches for whose it is',
  asserted: 'the issuer said who you are, but nothing about your key',
};

/** Evidence level and what it means, in one phrase. */
export function describeLevel(login: Login): string {
  const advice =
    login.level === 'asserted' && login.method === 'device' ? ' (login --browser is usually stronger)' : '';
  return `${login.level}: ${levelWords[login.level]}${advice}`;
}

export function describeWho(login: Login): string {
  return printable(subjectName(login.subject), 120);
}

/** Local time for a person; the day only when it is not today. */
export function describeTime(time: number, now = Date.now()): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return date.toDateString() === new Date(now).toDateString() ? clock : `${date.toLocaleDateString('en-CA')} ${clock}`;
}
