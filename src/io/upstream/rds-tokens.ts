/**
 * AWS RDS IAM: a password that is a signed request, made on this machine with the person's AWS credentials and good for
 * fifteen minutes. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
 *
 * What lives here: where the credentials come from, and which region. The signer is loaded when the first server asks.
 */
import { DbguardError, messageOf } from '../../errors.js';
import { outwardAgents } from '../http/outward-agents.js';
import type { PasswordMint } from './config.js';
import type { AwsCredentials } from './rds-signer.js';
import { Secret } from './secret.js';

/** `name.id.eu-central-1.rds.amazonaws.com`, a cluster's, a proxy's, and those of China. */
const RDS_HOST = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/;
/** Credentials may come over the network: an instance's, a container's, those of SSO. */
const requestMs = 10_000;

export function rdsTokens(region: string | undefined, env: NodeJS.ProcessEnv): PasswordMint {
  let credentials: AwsCredentials | undefined;
  return async ({ host, port, user }) => {
    const where = region ?? RDS_HOST.exec(host)?.[1] ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION);
    if (!where) {
      throw new DbguardError('config-invalid', `the AWS region of ${host} is not known`, {
        hint: 'Name it: rds_iam: { region: eu-central-1 }.',
      });
    }
    const { awsCredentials, signedToken } = await import('./rds-signer.js');
    const requestHandler = { connectionTimeout: requestMs, requestTimeout: requestMs, ...outwardAgents(env) };
    credentials ??= awsCredentials(requestHandler);
    try {
      return new Secret(await signedToken({ hostname: host, port, username: user, region: where }, credentials));
    } catch (error) {
      throw new DbguardError('config-invalid', `AWS gave no token for ${user}: ${messageOf(error)}`, {
        hint: 'Set AWS_PROFILE, or run aws sso login; the credentials need rds-db:connect for this login.',
        cause: error,
      });
    }
  };
}
