/**
 * Device authorization grant (RFC 8628) with the login key bound by nonce and, where the issuer can, by DPoP.
 */
import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { printable } from '../untrusted-text.js';
import { completeLogin, newBinding } from './complete-login.js';
import type { Login } from './identity.js';
import { dpopHandle, type Issuer } from './issuer.js';
import { parseWebPage } from './issuer-url.js';
import {
  deviceCodeExpired,
  explainOidcError,
  isForeignAnswer,
  isTransient,
  retryAfter,
  troubleOf,
} from './oidc-errors.js';

/** RFC 8628 section 3.5: without an interval, 5 seconds. `issuer-quirks.ts` has set one already. */
const DEFAULT_INTERVAL = 5;
/** What the pauses grow to while the issuer is in trouble, unless it asks for longer ones. */
const MAX_BACKOFF = 60;
/** After so many answers that are not the issuer's waiting helps no more. */
const MAX_FOREIGN_ANSWERS = 5;

/** What the person must see. Made fit for a terminal. */
export interface DevicePrompt {
  readonly userCode: string;
  readonly verificationUri: string;
  /** With the code in it, for a browser on this machine or a QR code. */
  readonly verificationUriComplete?: string;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAt: number;
}

export interface DeviceLoginEvents {
  prompt(prompt: DevicePrompt): void;
  /** The issuer is unreachable or overloaded and will be asked again; `undefined` once it has answered. */
  trouble?(message: string | undefined): void;
}

/** Resolves once the person has confirmed. Rejects with `login-failed` or `login-expired`, each with a next step. */
export async function deviceLogin(issuer: Issuer, events: DeviceLoginEvents): Promise<Login> {
  const binding = newBinding(randomBytes);
  const parameters: Record<string, string> = { scope: issuer.scopes.join(' '), nonce: binding.nonce };
  const verifier = oidc.randomPKCECodeVerifier();
  // RFC 8628 knows no PKCE, but some issuers (Keycloak) take it here; the others ignore what they do not know.
  const pkce = issuer.config.serverMetadata().supportsPKCE();
  if (pkce) {
    parameters.code_challenge = await oidc.calculatePKCECodeChallenge(verifier);
    parameters.code_challenge_method = 'S256';
  }
  try {
    const device = await oidc.initiateDeviceAuthorization(issuer.config, parameters).catch((error: unknown) => {
      throw explainOidcError(error, { ...issuer.settings, step: 'device-code' });
    });
    const expiresAt = issuer.access.now() + device.expires_in * 1000;
    events.prompt(toPrompt(device, issuer.url, expiresAt));
    const tokens = await poll(issuer, device, {
      expiresAt,
      parameters: pkce ? { code_verifier: verifier } : {},
      dpop: await dpopHandle(issuer, binding.loginKey),
      events,
    });
    return await completeLogin(issuer, tokens, binding, 'device');
  } catch (error) {
    throw explainOidcError(error, { ...issuer.settings, step: 'device' });
  }
}

interface PollOptions {
  readonly expiresAt: number;
  readonly parameters: Record<string, string>;
  readonly dpop: oidc.DPoPHandle | undefined;
  readonly events: DeviceLoginEvents;
}

/**
 * The library waits, counts slow_down and stops on refusal. What it does not do is live through a lost network: RFC 8628
 * section 3.5 asks for ever longer pauses then, until the code itself is over.
 */
async function poll(
  issuer: Issuer,
  device: oidc.DeviceAuthorizationResponse,
  options: PollOptions,
): Promise<oidc.TokenEndpointResponse> {
  let interval = device.interval ?? DEFAULT_INTERVAL;
  let dpop = options.dpop;
  let foreignAnswers = 0;
  for (;;) {
    const left = AbortSignal.timeout(Math.max(0, options.expiresAt - issuer.access.now()));
    const signal = issuer.access.signal ? AbortSignal.any([left, issuer.access.signal]) : left;
    try {
      const tokens = await oidc.pollDeviceAuthorizationGrant(
        issuer.config,
        { ...device, interval },
        options.parameters,
        dpop ? { signal, DPoP: dpop } : { signal },
      );
      options.events.trouble?.(undefined);
      return tokens;
    } catch (error) {
      if (left.aborted && !issuer.access.signal?.aborted) throw deviceCodeExpired();
      if (dpop && error instanceof oidc.ResponseBodyError && error.error === 'invalid_dpop_proof') {
        dpop = undefined; // advertised, yet not for this kind of key: go on without
      } else if (!issuer.access.signal?.aborted && (isTransient(error) || isBearable(error, ++foreignAnswers))) {
        interval = Math.max(Math.min(interval * 2, MAX_BACKOFF), retryAfter(error, issuer.access.now()));
        options.events.trouble?.(`${troubleOf(error)}, trying again`);
      } else {
        throw error;
      }
    }
  }
}

/** A person is confirming meanwhile: a page of a proxy or a captive portal does not end their login at once. */
function isBearable(error: unknown, times: number): boolean {
  return isForeignAnswer(error) && times <= MAX_FOREIGN_ANSWERS;
}

/** The answer is the issuer's, but it ends on a terminal and in a browser's arguments. */
function toPrompt(device: oidc.DeviceAuthorizationResponse, issuer: URL, expiresAt: number): DevicePrompt {
  const complete = device.verification_uri_complete;
  return {
    userCode: printable(device.user_code, 40),
    verificationUri: parseWebPage(device.verification_uri, issuer).href,
    ...(complete === undefined ? {} : { verificationUriComplete: parseWebPage(complete, issuer).href }),
    expiresAt,
  };
}
