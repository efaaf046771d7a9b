/** Issuers that sign what platforms and identity providers sign: keys, discovery, and GitHub's endpoint that makes tokens for whom it is asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { newKeyPair } from './keys.js';

export interface TokenIssuer {
  readonly issuer: string;
  /** Claims beside the usual ones; undefined takes one out. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Its public key as PEM. */
  readonly publicPem: string;
  /** What a job's environment has of it. */
  readonly jobEnv: Readonly<Record<string, string>>;
  /** Answers nobody while it is true. */
  away: boolean;
  close(): Promise<void>;
}

const secret = 'the-bearer-of-the-job';

/** @param sub of the tokens that its endpoint makes */
export async function startTokenIssuer(sub: string, alg: 'RS256' | 'ES256' = 'RS256'): Promise<TokenIssuer> {
  const { privateKey, publicKey } = newKeyPair(alg === 'RS256' ? 'rsa' : 'ec');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'p1' };
  const answerTo = async (url: URL): Promise<unknown> => {
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return { issuer, jwks_uri: `${issuer}/jwks` };
      case '/jwks':
        return { keys: [jwk] };
      case '/token':
        return { value: await test.sign({ sub, aud: url.searchParams.get('audience') }) };
      default:
        return undefined;
    }
  };
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    if (test.away) return response.destroy();
    const answer = await answerTo(new URL(request.url ?? '/', issuer));
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const test: TokenIssuer = {
    issuer,
    publicPem: String(publicKey.export({ format: 'pem', type: 'spki' })),
    jobEnv: { ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/token?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret },
    away: false,
    sign(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = Object.entries({ iss: issuer, sub, iat: now, exp: now + 3600, ...claims });
      const kept = Object.fromEntries(all.filter(([, value]) => value !== undefined));
      return new SignJWT(kept).setProtectedHeader({ alg, kid: 'p1', ...header }).sign(privateKey);
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return test;
}
