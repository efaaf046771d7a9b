/**
 * Where a machine's token comes from: a variable, a file that the platform keeps fresh (Kubernetes projected volume), or
 * the request endpoint of GitHub, Gitea and Forgejo Actions, which signs an audience of our choice.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { DbguardError, reasonOf } from '../../errors.js';
import type { WorkloadTokenSource } from '../../identity/workload-login.js';
import { issuerFetch } from './oidc-fetch.js';
import { halfSetRequest } from './workload-platforms.js';

/** Variables that hold or lead to a token: `dbguard run` must keep them from its child. */
export const workloadVariables = [
  'DBGUARD_ID_TOKEN',
  'DBGUARD_ID_TOKEN_FILE',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'CIRCLE_OIDC_TOKEN',
  'CIRCLE_OIDC_TOKEN_V2',
  'BUILDKITE_AGENT_ACCESS_TOKEN',
] as const;

/**
 * Undefined where the environment offers none: then a person logs in. Whose issuer it is does not matter here: the token
 * says so, and what it says is checked. Throws `login-failed` where half of what is needed is there.
 */
export function workloadTokenSource(env: NodeJS.ProcessEnv): WorkloadTokenSource | undefined {
  const { DBGUARD_ID_TOKEN: token, DBGUARD_ID_TOKEN_FILE: file } = env;
  if (token) return async () => token;
  if (file) return tokenFile(file);
  const half = halfSetRequest(env);
  if (half) throw half;
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  return url && secret ? requestedToken(url, secret) : undefined;
}

/** Read each time: platforms replace the file before its token expires. */
export function tokenFile(path: string): WorkloadTokenSource {
  return async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new DbguardError('login-failed', `the token file cannot be read: ${reasonOf(error)}`, {
        hint: 'Check --token-file or DBGUARD_ID_TOKEN_FILE.',
      });
    }
  };
}

/** Platforms' token services fail now and then, and say for some seconds that a job which runs has not begun. */
const waitsMs = [500, 1_000, 2_000];

/** GitHub's documentation, "OpenID Connect reference: Methods for requesting the OIDC token"; Forgejo's, "Security OpenID Connect". */
export function requestedToken(endpoint: string, secret: string): WorkloadTokenSource {
  return async (audience) => {
    if (!URL.canParse(endpoint)) throw failed('ACTIONS_ID_TOKEN_REQUEST_URL is no address');
    const url = new URL(endpoint);
    url.searchParams.set('audience', audience);
    for (const wait of waitsMs) {
      const asked = await ask(url, secret);
      if ('token' in asked) return asked.token;
      if (!asked.passing) throw asked.error;
      await setTimeout(wait);
    }
    const asked = await ask(url, secret);
    if ('token' in asked) return asked.token;
    throw asked.error;
  };
}

type Asked = { readonly token: string } | { readonly error: DbguardError; readonly passing: boolean };

async function ask(url: URL, secret: string): Promise<Asked> {
  let response: Response;
  let text: string;
  try {
    response = await issuerFetch(url.href, {
      headers: { authorization: `Bearer ${secret}`, accept: 'application/json' },
      signal: AbortSignal.timeout(15_000),
    });
    text = await response.text();
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    return { error: failed(`the token endpoint ${url.origin} cannot be reached`, inTrouble), passing: true };
  }
  const token = response.status === 200 ? tokenIn(text) : undefined;
  if (token !== undefined) return { token };
  const message = `the token endpoint ${url.origin} answered HTTP ${response.status} without a token`;
  const passing = response.status === 429 || response.status >= 500 || /in '?(?:Pending|Delayed)/i.test(text);
  return { error: passing ? failed(message, inTrouble) : failed(message), passing };
}

function tokenIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const found = typeof body === 'object' && body !== null && 'value' in body ? body.value : undefined;
    return typeof found === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}

const inTrouble = 'The platform is in trouble, or out of reach from here. Run the job again.';

function failed(
  message: string,
  hint = 'The job needs `permissions: id-token: write` (Forgejo: `enable-openid-connect: true`).',
): DbguardError {
  return new DbguardError('login-failed', message, { hint });
}
