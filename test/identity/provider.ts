/**
 * A real OpenID provider (oidc-provider) on loopback behind a middleman. The provider is honest; the middleman is what
 * lies between us and it: it logs, changes answers, slows down, hangs up. Its address is the issuer.
 */

import { type KeyObject, randomBytes } from 'node:crypto';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { newKeyPair } from '../helpers/keys.js';

export interface ProviderOptions {
  /** oidc-provider drops the nonce of the device flow; true makes it behave as Keycloak does. */
  readonly returnsDeviceNonce?: boolean;
  /** JWT access tokens (RFC 9068) for every request. */
  readonly jwtAccessTokens?: boolean;
  readonly alg?: 'RS256' | 'ES256' | 'EdDSA';
  readonly dpop?: boolean;
  /** A claim of every ID token, as Entra, Okta and Keycloak put it there. */
  readonly groups?: readonly string[];
  /** Who sits at the browser; asked anew at each login. Default: always the same. */
  readonly person?: () => string;
  /** Lifetimes in seconds. */
  readonly deviceCodeTtl?: number;
  readonly grantTypes?: readonly string[];
  /** Beside dbguard's own; a gateway's. */
  readonly clients?: readonly string[];
  /** Seconds; may change while the provider runs. */
  readonly idTokenTtl?: () => number;
}

/** One request that has been answered, on its way back; `body` may be changed. */
export interface Exchange {
  readonly path: string;
  readonly form: URLSearchParams;
  status: number;
  body: string;
  /** Instead of or beside the provider's own. */
  headers?: Readonly<Record<string, string>>;
}

/** What the middleman does next: return nothing to pass an answer on, 'hang-up' to cut the connection. */
export type Meddle = (exchange: Exchange) => 'hang-up' | undefined;

export interface TestProvider {
  readonly issuer: string;
  readonly provider: Provider;
  readonly subject: string;
  /** Every path that was asked for, with its form. */
  readonly log: { readonly path: string; readonly form: URLSearchParams }[];
  /** Replaced by tests. */
  meddle: Meddle;
  close(): Promise<void>;
}

export const clientId = 'dbguard';
const subject = 'dev-1';

export async function startProvider(options: ProviderOptions = {}): Promise<TestProvider> {
  const back = createServer();
  const front = createServer();
  await Promise.all([listen(back), listen(front)]);
  const issuer = `http://127.0.0.1:${port(front)}`;
  const provider = makeProvider(issuer, options);
  const respond = provider.callback();
  back.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const person = options.person?.() ?? subject;
    if (request.url?.startsWith('/interaction/')) void interact(provider, person, request, response);
    else void respond(request, response);
  });
  const test: TestProvider = {
    issuer,
    provider,
    subject,
    log: [],
    meddle: () => undefined,
    close: async () => {
      for (const server of [front, back]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  front.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void forward(test, port(back), request, response).catch(() => response.destroy());
  });
  return test;
}

async function forward(
  test: TestProvider,
  backPort: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sent = await collect(request);
  const { method, headers, url: path = '/' } = request;
  const inner = httpRequest({ host: '127.0.0.1', port: backPort, method, headers, path });
  inner.end(sent);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    inner.once('response', resolve);
    inner.once('error', reject);
  });
  const exchange: Exchange = {
    path: path.split('?')[0] ?? path,
    form: new URLSearchParams(sent.toString('utf8')),
    status: answer.statusCode ?? 500,
    body: (await collect(answer)).toString('utf8'),
  };
  // Providers may send no interval and then mean 5 seconds; these tests have no 5 seconds.
  if (exchange.path === '/device/auth' && exchange.status === 200) {
    exchange.body = JSON.stringify({ interval: 0.05, ...JSON.parse(exchange.body) });
  }
  test.log.push({ path: exchange.path, form: exchange.form });
  if (test.meddle(exchange) === 'hang-up') {
    response.destroy();
    return;
  }
  const { 'content-length': _length, 'transfer-encoding': _encoding, ...kept } = answer.headers;
  response.writeHead(exchange.status, { ...kept, ...exchange.headers });
  response.end(exchange.body);
}

function makeProvider(issuer: string, options: ProviderOptions): Provider {
  const alg = options.alg ?? 'ES256';
  const api = 'urn:test:api';
  const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
  const grantTypes = options.grantTypes ?? [deviceGrant, 'authorization_code', 'refresh_token'];
  const withCode = grantTypes.includes('authorization_code');
  const provider = new Provider(issuer, {
    jwks: { keys: [signingJwk(alg, 'k1')] },
    clients: [clientId, ...(options.clients ?? [])].map((client) => ({
      client_id: client,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: [...grantTypes],
      redirect_uris: withCode ? ['http://127.0.0.1/callback'] : [],
      response_types: withCode ? ['code'] : [],
      id_token_signed_response_alg: alg,
    })),
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: ['openid', 'offline_access', 'email', 'db'],
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: async (_context, id) => ({
      accountId: id,
      claims: async () => ({
        sub: id,
        email: `${id}@example.test`,
        email_verified: true,
        ...(options.groups && { groups: [...options.groups] }),
      }),
    }),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (context, form) => {
          context.body = form;
        },
        userCodeConfirmSource: async (context, form) => {
          context.body = form;
        },
        successSource: async (context) => {
          context.body = 'confirmed';
        },
      },
      dPoP: { enabled: options.dpop ?? false },
      revocation: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: options.jwtAccessTokens ?? false,
        defaultResource: async () => api,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: 'db',
          audience: api,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg } },
        }),
      },
    },
    pkce: { required: () => true },
    ttl: {
      DeviceCode: options.deviceCodeTtl ?? 600,
      IdToken: options.idTokenTtl ?? 3600,
      AccessToken: 3600,
      Grant: 86_400,
      Session: 86_400,
      Interaction: 3600,
      RefreshToken: 86_400,
    },
    rotateRefreshToken: true,
    issueRefreshToken: async (_context, client, code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  });
  if (options.returnsDeviceNonce) carryDeviceNonce(provider);
  return provider;
}

/** The request's nonce is kept in the device code's parameters only: copied where the ID token is made from. */
function carryDeviceNonce(provider: Provider): void {
  interface Code {
    params?: { nonce?: string };
    nonce?: string;
  }
  const prototype = provider.DeviceCode.prototype as unknown as { save(this: Code, ttl?: number): Promise<string> };
  const save = prototype.save;
  prototype.save = function (ttl) {
    if (this.params?.nonce !== undefined) this.nonce = this.params.nonce;
    return save.call(this, ttl);
  };
}

function signingJwk(alg: string, kid: string): Record<string, unknown> {
  let key: KeyObject;
  if (alg === 'EdDSA') key = newKeyPair('ed25519').privateKey;
  else if (alg === 'RS256') key = newKeyPair('rsa').privateKey;
  else key = newKeyPair('ec').privateKey;
  return { ...key.export({ format: 'jwk' }), use: 'sig', alg, kid };
}

/** Logs in as that person and consents to everything. */
async function interact(
  provider: Provider,
  subject: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const details = await provider.interactionDetails(request, response);
  if (details.prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: subject } });
    return;
  }
  const known = details.grantId ? await provider.Grant.find(details.grantId) : undefined;
  const grant = known ?? new provider.Grant({ accountId: subject, clientId: String(details.params.client_id) });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = details.prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [api, scopes] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(api, scopes.join(' '));
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
}

/** A browser without a screen: cookies and redirects. Stops before a redirect that `stopAt` matches and returns it. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  async go(link: string, form?: Record<string, string>): Promise<{ url: string; body: string }> {
    let url = link;
    let init: RequestInit = form ? { method: 'POST', body: new URLSearchParams(form) } : {};
    for (let hops = 0; hops < 20; hops++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
      for (const set of response.headers.getSetCookie()) {
        const [name = '', ...value] = (set.split(';')[0] ?? '').split('=');
        this.#cookies.set(name, value.join('='));
      }
      const location = response.headers.get('location');
      if (location === null) return { url, body: await response.text() };
      url = new URL(location, url).href;
      init = {};
    }
    throw new Error('too many redirects');
  }

  /** What a person does on the device page: enters the code, confirms or refuses. */
  async confirmDevice(verificationUriComplete: string, decision: 'confirm' | 'abort' = 'confirm'): Promise<string> {
    const page = verificationUriComplete.split('?')[0] ?? '';
    const first = await this.go(verificationUriComplete);
    const userCode = hidden(first.body, 'user_code');
    const second = await this.go(page, { xsrf: hidden(first.body, 'xsrf'), user_code: userCode });
    const form = { xsrf: hidden(second.body, 'xsrf') || hidden(first.body, 'xsrf'), user_code: userCode };
    return (await this.go(page, { ...form, [decision]: 'yes' })).body;
  }
}

function hidden(html: string, name: string): string {
  return html.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1] ?? '';
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
