/**
 * Where a machine's token comes from: the environment, a file that the platform keeps fresh (Kubernetes projected volume,
 * GitLab `id_tokens`), or GitHub Actions' own endpoint, which signs an audience of our choice.
 */
import { readFile } from 'node:fs/promises';
import { DbguardError, reasonOf } from '../../errors.js';
import type { WorkloadTokenSource } from '../../identity/workload-login.js';
import { issuerFetch } from './oidc-fetch.js';

export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

/** Variables that hold or lead to a token: `dbguard run` must keep them from its child. */
export const workloadVariables = [
  'DBGUARD_ID_TOKEN',
  'DBGUARD_ID_TOKEN_FILE',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
] as const;

/** Undefined where the environment offers none: then a person logs in. */
export function workloadTokenSource(env: NodeJS.ProcessEnv, issuer: string): WorkloadTokenSource | undefined {
  const { DBGUARD_ID_TOKEN: token, DBGUARD_ID_TOKEN_FILE: file } = env;
  if (token) return async () => token;
  if (file) return tokenFile(file);
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  if (url && secret && issuer === GITHUB_ISSUER) return githubToken(url, secret);
  return undefined;
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

/** GitHub's documentation, "Configuring OpenID Connect in cloud providers": the job needs `permissions: id-token: write`. */
export function githubToken(endpoint: string, secret: string): WorkloadTokenSource {
  return async (audience) => {
    const url = new URL(endpoint);
    url.searchParams.set('audience', audience);
    const response = await issuerFetch(url.href, {
      headers: { authorization: `Bearer ${secret}`, accept: 'application/json' },
      signal: AbortSignal.timeout(15_000),
    }).catch((error: unknown) => {
      throw error instanceof DbguardError ? error : failed('GitHub’s token endpoint cannot be reached');
    });
    const body: unknown = response.status === 200 ? await response.json().catch(() => undefined) : undefined;
    if (typeof body === 'object' && body !== null && 'value' in body && typeof body.value === 'string') {
      return body.value;
    }
    throw failed(`GitHub’s token endpoint answered HTTP ${response.status} without a token`);
  };
}

function failed(message: string): DbguardError {
  return new DbguardError('login-failed', message, { hint: 'The job needs `permissions: id-token: write`.' });
}
