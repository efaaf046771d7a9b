/** From a connected socket to one that speaks TLS, where the connection wants it. */
import type { Socket } from 'node:net';
import { encodeSslRequest } from '../../wire/startup.js';
import type { UpstreamTls } from './config.js';
import type { Endpoint } from './dial.js';
import { protocolFailure, tlsFailure } from './failure.js';
import { MessageReader } from './message-reader.js';
import { startTls } from './tls.js';
import type { TlsMaterial } from './tls-files.js';
import type { TlsSession } from './tls-session.js';

const accepted = 'S'.charCodeAt(0);
const declined = 'N'.charCodeAt(0);
const errorResponse = 'E'.charCodeAt(0);

export interface Channel {
  readonly socket: Socket;
  readonly tls: TlsSession | undefined;
}

/**
 * Asks for TLS and starts it. With `mayDecline` a server without TLS gives back the plain socket; otherwise it is an
 * `upstream-tls` error.
 */
export async function encrypt(
  socket: Socket,
  endpoint: Endpoint,
  tls: UpstreamTls,
  material: TlsMaterial,
  mayDecline: boolean,
): Promise<Channel> {
  const { label } = endpoint;
  if (tls.negotiation === 'postgres' && !(await requestTls(socket, label))) {
    if (mayDecline) return { socket, tls: undefined };
    throw tlsFailure(
      `${label} does not support TLS, and sslmode=${tls.mode} asks for it`,
      'Switch ssl on in the server, or choose sslmode=prefer or disable if the network in between is trusted.',
    );
  }
  const secured = await startTls(socket, endpoint.host, label, material, tls);
  return { socket: secured.socket, tls: secured.session };
}

async function requestTls(socket: Socket, label: string): Promise<boolean> {
  const reader = new MessageReader(socket, label);
  try {
    socket.write(encodeSslRequest());
    const answer = await reader.takeAll();
    if (answer[0] === errorResponse) {
      // Nobody has proved anything yet: the text may come from whoever sits in between (CVE-2024-10977).
      throw tlsFailure(
        `${label} answered the request for TLS with an error`,
        "Look at the server's log; it may be out of connections or memory.",
      );
    }
    if (answer[0] !== accepted && answer[0] !== declined) {
      throw protocolFailure(label, 'its answer to the request for TLS makes no sense');
    }
    // Bytes that came along in plain text would be read as if they had come through TLS: an attacker in between
    // could put words into the server's mouth (CVE-2021-23222).
    if (answer.length > 1 || socket.readableLength > 0) {
      throw tlsFailure(
        `${label} sent unencrypted data behind its answer to the request for TLS`,
        'Somebody on the way may be tampering with the connection. Do not go on from this network.',
      );
    }
    return answer[0] === accepted;
  } finally {
    reader.detach();
  }
}
