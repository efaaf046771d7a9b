/** What a gateway tells a client that it does not let in, or lets go. */
import { DbguardError } from '../../errors.js';
import type { ErrorText } from '../../wire/backend.js';

export const ending: ErrorText = {
  severity: 'FATAL',
  code: '57P03',
  message: 'the gateway is shutting down',
  hint: 'Connect again: another one may take it.',
};

export const issuerAway: ErrorText = {
  severity: 'FATAL',
  code: '08006',
  message: 'dbguard: tokens cannot be checked now',
  hint: 'The gateway cannot reach the identity provider. Try again in a moment.',
};

export const policyChanged: ErrorText = {
  severity: 'FATAL',
  code: '57P01',
  message: 'terminating connection: the policy has changed',
  hint: 'Connect again.',
};

/** Replicas are changed one after the other: another one may enforce it already. */
export const beyondThis: ErrorText = {
  severity: 'FATAL',
  code: '57P03',
  message: 'dbguard: the policy needs a later version than this gateway is',
  hint: 'Connect again: another one may take it. Whoever runs the gateway finds more at its /readyz.',
};

export function rightLost({ message, hint }: DbguardError): ErrorText {
  const error = { severity: 'FATAL', code: '28000', message: `terminating connection: ${message}` } as const;
  return hint === undefined ? error : { ...error, hint };
}

export function tooMany(message: string): ErrorText {
  return {
    severity: 'FATAL',
    code: '53300',
    message: `dbguard: ${message}`,
    hint: 'Close one, or wait for one to be closed.',
  };
}

/** Whoever has got in is told what does not work; the details are in the gateway's log. */
export function unopened(error: unknown): ErrorText {
  const message = error instanceof DbguardError ? error.message : 'the session could not be opened';
  return {
    severity: 'FATAL',
    code: '08006',
    message: `dbguard: ${message}`,
    hint: 'Whoever runs the gateway finds more in its log.',
  };
}
