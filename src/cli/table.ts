import type { CommandEntry } from './command.js';

/** Which login is meant; flags win over the environment, the environment over dbguard.yaml. */
const identityOptions = [
  { flags: '--issuer <url>', description: 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)' },
  { flags: '--client-id <id>', description: 'client id of dbguard at that issuer' },
  { flags: '--profile <name>', description: 'keep several logins apart by a name' },
  { flags: '--config <file>', description: 'use this file instead of the nearest dbguard.yaml' },
] as const;

/** Every command of dbguard, in the order of `--help`. */
export const commandTable: readonly CommandEntry[] = [
  {
    path: 'login',
    summary: 'log in at your identity provider and bind this machine’s signing key to you',
    options: [
      {
        flags: '--browser',
        description: 'log in through a browser on this machine: stronger evidence than a device code',
      },
      { flags: '--no-open', description: 'never offer to open the browser' },
      {
        flags: '--redirect-uri <uri>',
        description: 'loopback address that the browser comes back to; implies --browser',
      },
      { flags: '--token-file <path>', description: 'log in with a token that a CI system or platform wrote to a file' },
      ...identityOptions,
    ],
    load: () => import('./commands/login.js'),
  },
  {
    path: 'logout',
    summary: 'forget the login here and revoke it at the issuer',
    options: identityOptions,
    load: () => import('./commands/logout.js'),
  },
  {
    path: 'whoami',
    summary: 'who is logged in, until when, how well proven, and where it is kept',
    options: [{ flags: '--json', description: 'print JSON' }, ...identityOptions],
    load: () => import('./commands/whoami.js'),
  },
];

/** What a group of commands is about, for `dbguard --help`. */
export const groupSummaries: Readonly<Record<string, string>> = {
  transcripts: 'list, read and verify signed transcripts',
  policy: 'test and check policies',
};
