import { DbguardError } from '../../errors.js';

/** In the place of a server's `too_many_connections`. */
export function noPlace(waitMs: number): DbguardError {
  return new DbguardError('limit-exceeded', `no server connection became free within ${waitMs / 1000} s`, {
    hint: 'Close connections that are not used, or try again; serve.pool.size says how many there may be.',
  });
}
