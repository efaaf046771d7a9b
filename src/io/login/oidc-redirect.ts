/**
 * The loopback end of an authorization code login (RFC 8252 section 7.3): an HTTP listener that lives for one redirect.
 *
 * Any page in the browser and any program on this machine can send requests here: the state tells the real one, a foreign
 * Host header (DNS rebinding) is turned away, and nothing that came in is ever put into the answer.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DbguardError, reasonOf } from '../../errors.js';
import type { RedirectListener } from '../../identity/browser-login.js';
import { isLoopback } from '../../identity/issuer-url.js';

const DEFAULT_REDIRECT = 'http://127.0.0.1/callback';
const MAX_URL = 8192;

/**
 * Listens on `redirectUri`, which must be http on loopback; without a port the system chooses one, as issuers must allow
 * (RFC 8252 section 7.3), though some want it fixed. Rejects with `usage` or `listen-failed`.
 */
export async function listenForRedirect(redirectUri = DEFAULT_REDIRECT): Promise<RedirectListener> {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  if (url?.protocol !== 'http:' || !isLoopback(url)) {
    throw new DbguardError('usage', 'the redirect URI must be http on 127.0.0.1, [::1] or localhost');
  }
  const requests = new RedirectRequests(url);
  const server = createServer({ maxHeaderSize: 16 * 1024 }, (request, response) => requests.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new DbguardError('listen-failed', `cannot listen on ${url.host} for the browser: ${reasonOf(error)}`, {
          hint: 'Choose another port with --redirect-uri, or log in by device code: dbguard login',
        }),
      ),
    );
    server.listen(Number(url.port), url.hostname.replace(/^\[|\]$/g, ''), resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address) url.port = String(address.port);
  return {
    redirectUri: url.href,
    waitFor: (state, signal) => requests.waitFor(state, signal),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Lives here: whose redirect is waited for. Must not know: tokens, issuers. */
class RedirectRequests {
  readonly #url: URL;
  #state: string | undefined;
  #found: ((url: URL) => void) | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  waitFor(state: string, signal?: AbortSignal): Promise<URL> {
    this.#state = state;
    return new Promise((resolve, reject) => {
      this.#found = resolve;
      signal?.addEventListener('abort', () => reject(new DbguardError('login-failed', 'the login was given up')), {
        once: true,
      });
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const [status, text] = this.#judge(request);
    answer(response, status, text);
  }

  #judge({ method, headers, url: target = '/' }: IncomingMessage): [status: number, text: string] {
    if (method !== 'GET') return [405, 'Only GET.'];
    if (headers.host !== this.#url.host || target.length > MAX_URL) return [400, 'Not here.'];
    const text = `${this.#url.origin}${target}`;
    const url = target.startsWith('/') && URL.canParse(text) ? new URL(text) : undefined;
    if (url?.pathname !== this.#url.pathname) return [404, 'Not here.'];
    if (this.#state === undefined || url.searchParams.get('state') !== this.#state) {
      return [400, 'This answer belongs to no login that is under way.'];
    }
    const found = this.#found;
    this.#found = undefined;
    if (!found) return [400, 'This login has been answered already.'];
    found(url);
    if (url.searchParams.has('error')) return [200, 'The login was not confirmed.'];
    return [200, 'Done. Close this window and go back to the terminal.'];
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(`dbguard: ${text}\n`);
}
