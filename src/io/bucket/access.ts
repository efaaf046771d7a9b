/** What opening a bucket needs beside its address. */
export interface BucketAccess {
  readonly env: NodeJS.ProcessEnv;
  /** The developer's own ID token, for AssumeRoleWithWebIdentity; asked for each time that credentials run out. */
  readonly idToken?: () => Promise<string>;
  /** How long one answer may take; default one minute. */
  readonly requestTimeoutMs?: number;
}
