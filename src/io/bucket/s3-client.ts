/** The S3 client for a bucket of dbguard.yaml, and what to do about the answers that people meet. */
import { S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { DbguardError, messageOf } from '../../errors.js';
import type { S3BucketConfig } from '../../policy/read-bucket.js';
import { socketWords } from '../../socket-words.js';
import { outwardAgents } from '../http/outward-agents.js';
import { outwardFetch } from '../http/outward-fetch.js';
import type { BucketAccess } from './access.js';
import { webIdentityCredentials } from './web-identity.js';

export interface OpenedBucket {
  readonly client: S3Client;
  readonly config: S3BucketConfig;
  /** `s3://bucket/prefix` */
  readonly location: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
}

export function openS3(config: S3BucketConfig, access: BucketAccess): OpenedBucket {
  const prefix = config.prefix === '' ? '' : `${config.prefix}/`;
  const location = `s3://${config.bucket}${config.prefix === '' ? '' : `/${config.prefix}`}`;
  return { client: makeClient(clientConfig(config, access)), config, location, prefix };
}

/** The SDK would print lines about the Node version into the terminal of every developer who still uses Node 20. */
function makeClient(config: S3ClientConfig): S3Client {
  const { env } = process;
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  const before = env[name];
  env[name] = 'true';
  const client = new S3Client(config);
  if (before === undefined) delete env[name];
  else env[name] = before;
  return client;
}

function clientConfig(config: S3BucketConfig, access: BucketAccess): S3ClientConfig {
  const { endpoint, roleArn } = config;
  const { idToken, env } = access;
  const region = () => regionOf(config, env);
  const requestHandler = {
    connectionTimeout: 5_000,
    requestTimeout: access.requestTimeoutMs ?? 60_000,
    throwOnRequestTimeout: true,
    ...outwardAgents(env),
  };
  return {
    region,
    // The checksum is ours, SHA-256; the client's default would add a second, weaker one.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler,
    maxAttempts: 3,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    credentials:
      roleArn === undefined || idToken === undefined
        ? // environment, profile, container, instance; its clients for SSO take no agents from the S3 client
          defaultProvider({ clientConfig: { requestHandler } })
        : webIdentityCredentials({
            roleArn,
            region,
            idToken,
            endpoint: env.AWS_ENDPOINT_URL_STS,
            fetch: outwardFetch(env),
          }),
  };
}

/** As the AWS CLI: the setting, the environment, the profile in ~/.aws/config; where none says, AWS's first region. */
async function regionOf({ region }: S3BucketConfig, env: NodeJS.ProcessEnv): Promise<string> {
  const said = region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION);
  if (said) return said;
  try {
    return await makeClient({}).config.region();
  } catch {
    return 'us-east-1'; // no profile says one
  }
}

/** What to do about the answers that people meet. The message of the service never holds a secret; a request would. */
export function explain(error: unknown, location: string): DbguardError {
  if (error instanceof DbguardError && error.code !== 'proxy-refused') return error;
  if (error instanceof DbguardError) {
    const { hint, message } = error;
    const details = { ...(hint === undefined ? {} : { hint }), cause: error };
    return new DbguardError('bucket-unreachable', `cannot use the bucket ${location}: ${message}`, details);
  }
  const name = error instanceof Error ? error.name : '';
  return new DbguardError('bucket-unreachable', `cannot use the bucket ${location}: ${reasonOfS3(error)}`, {
    hint: hintOf(name, error) ?? (refused(error) ? 'The store answered, and refused: its reason says why.' : network),
    cause: error,
  });
}

/** The service's code and sentence, where it has both; of one that gives the code alone, the SDK says `UnknownError`. */
export function reasonOfS3(error: unknown): string {
  // a provider of credentials makes one text of what went wrong beneath it
  const code = error instanceof Error && 'code' in error ? socketWords(String(error.code)) : undefined;
  if (code !== undefined) return code;
  const message = messageOf(error).replace(/^(?:\w*Error: )+/, '');
  if (!(error instanceof S3ServiceException) || message === error.name) return message;
  return message === 'UnknownError' ? error.name : `${error.name}: ${message}`;
}

/** A whole answer about the request itself: no network is to blame. */
function refused(error: unknown): boolean {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function hintOf(name: string, error: unknown): string | undefined {
  const between = /the proxy |ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT/.test(messageOf(error));
  if (name === 'CredentialsProviderError' && between) {
    return 'The credentials come over the network: check it, HTTPS_PROXY and NO_PROXY.';
  }
  return hints[name];
}

const network = 'Check the network, the endpoint and the region.';

const hints: Readonly<Record<string, string>> = {
  AccessDenied:
    'The credentials need s3:PutObject under v1/ (and recordings/) to record, s3:GetObject and s3:ListBucket to read.',
  NotImplemented: 'This store does not know the request: "dbguard transcripts check-bucket" tells what it lacks.',
  CredentialsProviderError:
    'No AWS credentials were found: set AWS_PROFILE, or role_arn in dbguard.yaml, or run aws sso login.',
  ExpiredToken: 'The AWS credentials have expired: renew them.',
  InvalidAccessKeyId: 'The AWS access key is not known: check the profile or the environment.',
  NoSuchBucket: 'Check the name in dbguard.yaml; dbguard does not create buckets.',
  SignatureDoesNotMatch: 'The AWS secret key does not fit the access key.',
  BadDigest: 'The bytes were changed on their way; a proxy between here and the store may do that.',
};
