/** What a system's error code of a connection means, in words: the code alone tells nobody what to do. */
const said: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name lookup failed for now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no network to it',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection was cut',
};

/** Undefined for a code that is none of a connection's. */
export function socketWords(code: string): string | undefined {
  return said[code];
}
