/** Ways to log in, by the names of libpq's require_auth. */
export const authMethods = ['password', 'md5', 'scram-sha-256', 'oauth', 'gss', 'sspi', 'none'] as const;
export type AuthMethod = (typeof authMethods)[number];
