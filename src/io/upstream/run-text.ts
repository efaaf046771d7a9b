/** One text of SQL, as one simple query: all of its statements take effect, or none does. */
import { parse, serialize } from 'pg-protocol';
import { DbguardError } from '../../errors.js';
import { singleLine } from '../../untrusted-text.js';
import type { Upstream } from './connect.js';

/** Rejects with `denied` and the server's words where it does not run. Waits as long as the server takes. */
export async function runText({ socket, rest }: Upstream, sql: string): Promise<void> {
  if (rest.length > 0) socket.unshift(rest);
  await new Promise<void>((resolve, reject) => {
    let error: DbguardError | undefined;
    const lost = (): void => reject(error ?? new DbguardError('denied', 'the connection ended before the answer'));
    socket.on('error', lost);
    socket.on('close', lost);
    parse(socket, (message) => {
      if (message.name === 'error') error ??= refusalOf(message);
      if (message.name !== 'readyForQuery') return;
      if (error) reject(error);
      else resolve();
    }).catch(lost);
    socket.write(serialize.query(sql));
    socket.resume();
  });
}

/** pg-protocol's error is one of the server's, with its fields. */
function refusalOf(message: object): DbguardError {
  const { message: text, hint } = message as { readonly message?: unknown; readonly hint?: unknown };
  const said = typeof text === 'string' ? singleLine(text, 500) : 'the server refused it';
  return new DbguardError('denied', said, typeof hint === 'string' ? { hint: singleLine(hint, 300) } : {});
}
