/** What a look at a provider shows: it answers, and how people can log in there. */
import type { Issuer } from '../../identity/issuer.js';
import { singleLine } from '../../untrusted-text.js';
import { failure, type Line, ok, warning } from './check.js';

export function providerLines(issuer: Issuer): Line[] {
  const answers = ok(`${singleLine(issuer.settings.issuer, 120)} answers`);
  const { device_authorization_endpoint: device, authorization_endpoint: browser } = issuer.config.serverMetadata();
  if (device !== undefined) return [answers, ok('device flow')];
  if (browser !== undefined)
    return [answers, warning('it offers no device flow', 'Log in with: dbguard login --browser')];
  return [
    answers,
    failure('it offers neither the device flow nor a browser login', 'Allow one of these grants to dbguard’s client.'),
  ];
}
