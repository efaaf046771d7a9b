/**
 * What issuers answer in practice, brought into the standard's form before the OAuth library reads it. Each line below
 * is an issuer's deviation that was reported in public; what is wrong in any other way stays wrong, and is refused.
 *
 * What lives here: answers as data. What it must not know: flows, clocks, terminals.
 */

/** `fetch`, as far as it is needed; `src/io/login/oidc-fetch.ts` guards the real one. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

type Body = Readonly<Record<string, unknown>>;

/** RFC 8628 section 3.2: without an interval, 5 seconds. */
const DEFAULT_INTERVAL = 5;
/** Beyond it a timer of Node overflows and fires at once. */
const MAX_INTERVAL = 300;
/** RFC 8628 demands a lifetime; where none is given, or one in no known unit, the shortest that is usual. */
const DEFAULT_LIFETIME = 600;
const MAX_LIFETIME = 24 * 3600;

/** Only answers of POST are touched: device authorization, token, revocation. Discovery and keys are GET. */
export function withoutQuirks(fetch: Fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    return init?.method === 'POST' ? standardAnswer(response) : response;
  };
}

async function standardAnswer(response: Response): Promise<Response> {
  const text = await response.text();
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
  // RFC 6749 section 5.2 has it sent with invalid_client; the error is in the body, and the library reads one of both.
  headers.delete('www-authenticate');
  const body = parseAnswer(text, response.headers.get('content-type') ?? '');
  // Called what it is: some send JSON as text/html, proxies send a page or nothing as JSON.
  headers.set('content-type', body === undefined ? 'text/plain' : 'application/json');
  if (body === undefined) return new Response(isBodyless(response) ? null : text, { status: response.status, headers });
  const { status, answer } = standardForm(response.status, body);
  return new Response(JSON.stringify(answer), { status, headers });
}

function isBodyless({ status }: Response): boolean {
  return [101, 103, 204, 205, 304].includes(status);
}

/** Exported for its tests: a pure function of status and body. */
export function standardForm(status: number, body: Body): { status: number; answer: Body } {
  const answer = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)); // better-auth, some proxies
  if (typeof answer.error === 'string' && answer.access_token === undefined && answer.device_code === undefined) {
    // GitHub sends its errors with 200.
    return {
      status: Math.max(status, 400),
      answer: { ...answer, error: errorNames[answer.error] ?? answer.error },
    };
  }
  if (answer.device_code !== undefined) return { status, answer: deviceAnswer(answer) };
  if (answer.access_token !== undefined) return { status, answer: tokenAnswer(answer) };
  return { status, answer };
}

/** Errors of the device flow under other names than RFC 8628 section 3.5 has. */
const errorNames: Readonly<Record<string, string>> = {
  authorization_declined: 'access_denied', // Entra, OpenAM
  code_expired: 'expired_token', // Azure AD v1
  bad_verification_code: 'expired_token', // Entra
};

function deviceAnswer(body: Body): Body {
  const { verification_uri_complete: _complete, ...rest } = body;
  const page = text(body.verification_uri) ?? text(body.verification_url); // Google, ADFS, OpenAM, Azure AD v1
  const complete = text(body.verification_uri_complete) ?? text(body.verification_url_complete); // "" from some
  return {
    ...rest,
    ...(typeof body.user_code === 'number' ? { user_code: String(body.user_code) } : {}),
    ...(page === undefined ? {} : { verification_uri: page }),
    ...(complete === undefined ? {} : { verification_uri_complete: complete }),
    expires_in: Math.min(seconds(body.expires_in) ?? DEFAULT_LIFETIME, MAX_LIFETIME), // "900" from Azure AD v1
    interval: Math.min(seconds(body.interval) ?? DEFAULT_INTERVAL, MAX_INTERVAL), // "5", 0, none
  };
}

function tokenAnswer(body: Body): Body {
  const { scope } = body;
  return {
    ...body,
    token_type: body.token_type ?? 'Bearer', // left out by some, although required
    ...(Array.isArray(scope) ? { scope: scope.join(' ') } : {}),
  };
}

/** A JSON object, whatever it is called; or a form, as GitHub sends. Undefined for a web page. */
function parseAnswer(text: string, type: string): Body | undefined {
  if (type.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A positive number, as a number or as text. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}
