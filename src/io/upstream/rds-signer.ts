/**
 * AWS's signer of RDS tokens, in a file that is loaded as a whole: its packages are CommonJS, and of those import() finds no
 * names in the bundle.
 */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Signer } from '@aws-sdk/rds-signer';

export type AwsCredentials = ReturnType<typeof defaultProvider>;

/** @param requestHandler how credentials that come over the network are fetched */
export function awsCredentials(requestHandler: object): AwsCredentials {
  return defaultProvider({ clientConfig: { requestHandler } });
}

/** Rejects with what the SDK says of credentials that are not there. */
export function signedToken(
  server: { readonly hostname: string; readonly port: number; readonly username: string; readonly region: string },
  credentials: AwsCredentials,
): Promise<string> {
  return new Signer({ ...server, credentials }).getAuthToken();
}
