/**
 * The public key that this program's releases are signed with. `.ci/bundle` puts it in when a release is built; a build
 * from the sources has none, and says so.
 */
declare const RELEASE_KEY: string | undefined;

/** 32 bytes in base64url. */
export const pinnedReleaseKey: string | undefined = typeof RELEASE_KEY === 'string' ? RELEASE_KEY : undefined;
