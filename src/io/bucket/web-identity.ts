/**
 * Temporary AWS credentials for the developer's own ID token: STS AssumeRoleWithWebIdentity, an unsigned form POST.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
import { DbguardError, messageOf } from '../../errors.js';
import type { OutwardFetch } from '../http/outward-fetch.js';

export interface WebIdentityOptions {
  readonly roleArn: string;
  readonly region: () => Promise<string>;
  readonly idToken: () => Promise<string>;
  readonly endpoint?: string | undefined;
  /** The way out of this network. */
  readonly fetch: OutwardFetch;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** A provider for the S3 client, which asks again shortly before `expiration`. Never has the token in an error. */
export function webIdentityCredentials(options: WebIdentityOptions): () => Promise<Credentials> {
  return async () => {
    const url = options.endpoint ?? stsOf(await options.region());
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: options.roleArn,
      RoleSessionName: 'dbguard',
      WebIdentityToken: await options.idToken(),
    });
    const answer = await post(options.fetch, url, form);
    const expiration = new Date(element(answer, 'Expiration'));
    return {
      accessKeyId: element(answer, 'AccessKeyId'),
      secretAccessKey: element(answer, 'SecretAccessKey'),
      sessionToken: element(answer, 'SessionToken'),
      expiration,
    };
  };
}

/** Each partition of AWS has a domain of its own: https://docs.aws.amazon.com/general/latest/gr/sts.html */
const domains: readonly (readonly [regions: RegExp, domain: string])[] = [
  [/^cn-/, 'amazonaws.com.cn'],
  [/^eusc-/, 'amazonaws.eu'],
  [/^us-iso-/, 'c2s.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov'],
];

function stsOf(region: string): string {
  const [, domain = 'amazonaws.com'] = domains.find(([regions]) => regions.test(region)) ?? [];
  return `https://sts.${region}.${domain}/`;
}

async function post(fetch: OutwardFetch, url: string, form: URLSearchParams): Promise<string> {
  let status: number;
  let body: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: form,
      redirect: 'error',
      signal: AbortSignal.timeout(15_000),
    });
    status = response.status;
    body = await response.text();
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    throw refused(`AWS STS cannot be reached: ${messageOf(error)}`, 'Check the network and the region.');
  }
  if (status === 200) return body;
  const code = /<Code>(\w{1,80})<\/Code>/.exec(body)?.[1] ?? `status ${status}`;
  throw refused(
    `AWS STS refused the login: ${code}`,
    hints[code] ?? 'Check role_arn and the trust policy of that role.',
  );
}

const hints: Readonly<Record<string, string>> = {
  ExpiredTokenException: 'The login has expired. Run: dbguard login (a job needs a fresh token of its platform)',
  InvalidIdentityToken:
    'The account must know the issuer as an OIDC provider with this client id; STS takes RS256 and ES256 tokens only.',
};

/** The values are base64, names and dates: no entities, no nesting. */
function element(xml: string, name: string): string {
  const value = new RegExp(`<${name}>([^<>&]+)</${name}>`).exec(xml)?.[1];
  if (value === undefined)
    throw refused('AWS STS gave an answer that is not understood', 'Check AWS_ENDPOINT_URL_STS.');
  return value;
}

function refused(message: string, hint: string): DbguardError {
  return new DbguardError('bucket-unreachable', message, { hint });
}
