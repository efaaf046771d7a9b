/**
 * The HTTP side of talking to an issuer: fetch with three guards. Plain http only to loopback, no redirects followed,
 * and no answer larger than any honest issuer sends.
 */
import { DbguardError } from '../../errors.js';
import { isLoopback } from '../../identity/issuer-url.js';
import { outwardFetch } from '../http/outward-fetch.js';

const outward = outwardFetch(process.env);

/** Discovery documents and key sets are a few kilobytes; Entra's largest is some 50. */
const MAX_ANSWER = 1024 * 1024;

export async function issuerFetch(link: string, init?: RequestInit): Promise<Response> {
  const url = new URL(link);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new DbguardError('login-failed', `refusing to send a login to ${url.origin}, which is not https`);
  }
  const response = await outward(url, { ...init, redirect: 'manual' });
  return new Response(limited(response), response);
}

function limited(response: Response): ReadableStream<Uint8Array> | null {
  if (!response.body) return null;
  let size = 0;
  return response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > MAX_ANSWER) controller.error(new DbguardError('login-failed', 'the issuer sent too much'));
        else controller.enqueue(chunk);
      },
    }),
  );
}
