import { DbguardError } from '../../errors.js';
import type { ErrorText } from '../../wire/backend.js';
import { UpstreamError } from '../upstream/failure.js';

/**
 * What the client is told when dbguard could not connect for it: the server's own error where there is one, as if
 * the client had connected itself. Only a failed login of dbguard's is put in words of its own, since the client's
 * password was right.
 */
export function upstreamFailure(error: unknown): Buffer | ErrorText {
  if (error instanceof UpstreamError && error.response && !error.sqlState?.startsWith('28')) {
    return Buffer.from(error.response.raw);
  }
  if (error instanceof DbguardError) {
    return {
      severity: 'FATAL',
      code: error.code === 'limit-exceeded' ? '53300' : '08001',
      message: `dbguard: ${error.message}`,
      ...(error.hint ? { hint: error.hint } : {}),
    };
  }
  return { severity: 'FATAL', code: '08001', message: 'dbguard: the database connection failed' };
}
