/** CancelRequest, as libpq's PQcancelBlocking sends it: to the same address, encrypted if the connection was. */
import type { Socket } from 'node:net';
import { encodeCancelRequest } from '../../wire/startup.js';
import type { CancelTarget } from './connect.js';
import { Deadline } from './deadline.js';
import { dial } from './dial.js';
import { encrypt } from './encrypt.js';
import { UpstreamError } from './failure.js';

/** A cancel request that takes longer than this will not help anybody any more. */
const longestMs = 30_000;

/**
 * Resolves when the server has taken the request and closed the connection; whether anything was cancelled it never says.
 * Rejects with UpstreamError.
 */
export async function cancelUpstream(
  upstream: { readonly cancelTarget: CancelTarget },
  signal?: AbortSignal,
): Promise<void> {
  const { endpoint, tlsMaterial, config, backendKey } = upstream.cancelTarget;
  if (!backendKey) {
    throw new UpstreamError('upstream-protocol', `${endpoint.label} gave no key to cancel its statements with`);
  }
  const deadline = new Deadline(Math.min(config.connectTimeout, longestMs), endpoint.label, signal);
  let socket: Socket | undefined;
  try {
    socket = await dial(endpoint, config, deadline.signal);
    deadline.guard(socket);
    if (tlsMaterial) {
      // No way back to plain text: the key is what others could cancel this connection's statements with.
      socket = (await encrypt(socket, endpoint, config.tls, tlsMaterial, false)).socket;
      deadline.guard(socket);
    }
    // A reset is an end, too: the server has nothing to say and may not wait for our half.
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    socket.write(encodeCancelRequest(backendKey.pid, backendKey.key));
    socket.resume();
    await closed;
    deadline.signal.throwIfAborted();
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    socket?.destroy();
    deadline.clear();
  }
}
