/** The errors that end a client's connection. FATAL: no driver waits for more, or reuses the connection. */
import { DbguardError, messageOf } from '../../errors.js';
import type { ErrorText } from '../../wire/backend.js';
import { ProtocolViolation } from '../../wire/messages.js';

/** admin_shutdown, as a server says it. */
export const shuttingDown: ErrorText = {
  severity: 'FATAL',
  code: '57P01',
  message: 'terminating connection: dbguard is shutting down',
};

/** The same code: to a client it is a server that ends its connections. */
export const accessOver: ErrorText = {
  severity: 'FATAL',
  code: '57P01',
  message: 'terminating connection: the time for which it was granted is over',
  hint: 'Connect again: whoever grants it is asked anew.',
};

/** Of a client that waits to be connected. */
export const awaitingGrant: ErrorText = {
  severity: 'NOTICE',
  code: '00000',
  message: 'dbguard: waiting for somebody to grant this connection',
};

/** too_many_connections, in the server's words. */
export const tooManyClients: ErrorText = {
  severity: 'FATAL',
  code: '53300',
  message: 'sorry, too many clients already',
};

/** Told to those only who know the password of the run. */
export function unknownUser(name: string, known: readonly string[]): ErrorText {
  return {
    severity: 'FATAL',
    code: '28000',
    message: `dbguard: this session has no user "${name}"`,
    hint: `Connect as ${known.join(', ')}.`,
  };
}

/** In the words of a server whose authentication_timeout is over. */
export const handshakeTimedOut: ErrorText = {
  severity: 'FATAL',
  code: '08P01',
  message: 'canceling authentication due to timeout',
};

/**
 * Whatever went wrong, the connection that it happened on ends, and no other does. A DbguardError is the journal's: it
 * takes no more entries (io_error), or not one as long as this (program_limit_exceeded).
 *
 * @param whoBrokeIt for a ProtocolViolation, as a clause: `the client broke the protocol`
 */
export function fatalFor(error: unknown, whoBrokeIt: string): ErrorText {
  if (error instanceof ProtocolViolation) {
    return { severity: 'FATAL', code: '08P01', message: `dbguard: ${whoBrokeIt}: ${error.message}` };
  }
  if (error instanceof DbguardError) {
    const code = error.code === 'limit-exceeded' ? '54000' : '58030';
    const hint = error.hint ? { hint: error.hint } : {};
    return { severity: 'FATAL', code, message: `dbguard: ${error.message}`, ...hint };
  }
  return { severity: 'FATAL', code: 'XX000', message: `dbguard: internal error: ${messageOf(error)}` };
}
