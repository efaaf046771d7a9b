import { DbguardError } from '../errors.js';

/** RFC 8252 section 8.3: loopback literals; `localhost` too, for issuers in development. */
export function isLoopback(url: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}

/** An issuer identifier as it is written in the configuration: https, or http on loopback. Throws `config-invalid`. */
export function parseIssuerUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new DbguardError('config-invalid', 'identity.issuer is not a URL', {
      hint: 'It looks like https://login.example.com/realms/main and is written in your provider’s settings.',
    });
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return url;
  throw new DbguardError('config-invalid', `the issuer ${url.origin} is not https`, {
    hint: 'Plain http is accepted on loopback only, for tests.',
  });
}

/**
 * A page that the issuer wants opened in a browser; anything but a web address could start a program. Some issuers leave
 * out their own origin (IdentityServer). Throws `login-failed`.
 */
export function parseWebPage(text: string, issuer: URL): URL {
  const base = text.startsWith('/') ? issuer.href : undefined;
  if (!URL.canParse(text, base))
    throw new DbguardError('login-failed', 'the issuer names a page to open that is no address');
  const url = new URL(text, base);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && issuer.protocol === 'http:' && isLoopback(url))) {
    return url;
  }
  throw new DbguardError('login-failed', `the issuer names a page to open that is not https: ${url.protocol}`);
}
