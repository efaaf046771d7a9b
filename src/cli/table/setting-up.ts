/** Commands that set dbguard up: settings, what may lead credentials where, who signs. */
import { profileNames } from '../../policy/profiles.js';
import { environments } from '../../policy/read-connection.js';
import type { CommandEntry } from '../command.js';
import { configOption, identityOptions } from '../shared-options.js';

export const settingUp = [
  {
    path: 'status',
    summary: 'how things stand: who, where, by what policy, what is open; the same as dbguard alone',
    options: [{ flags: '--json', description: 'print JSON' }, configOption],
    examples: ['dbguard', 'dbguard status --json | jq .next'],
  },
  {
    path: 'init',
    summary: 'write a commented dbguard.yaml; at a terminal the guided way, each answer tried at once',
    options: [
      { flags: '--url <url>', description: 'database, as psql takes it; a password in it is left out' },
      { flags: '--service <name>', description: 'database by its name in pg_service.conf' },
      { flags: '--name <name>', description: 'what to call the connection (default: main)' },
      {
        flags: '--environment <name>',
        description: 'what the database is for (default: production)',
        choices: environments,
      },
      { flags: '--issuer <url>', description: 'OpenID Connect issuer' },
      { flags: '--client-id <id>', description: 'client id of dbguard at that issuer' },
      { flags: '--bucket <url>', description: 'where transcripts go: s3://bucket/prefix or file:./folder' },
      { flags: '--profile <name>', description: 'built-in policy profile (default: guarded)', choices: profileNames },
      { flags: '--schema', description: 'also write dbguard.schema.json beside it, by which editors complete it' },
      { flags: '--user', description: 'write your own file, which holds in every folder' },
      { flags: '--force', description: 'replace a file that is there' },
    ],
    examples: [
      'dbguard init                                     asks, and tries each answer',
      'dbguard init --url postgresql://agent@db.example.com/shop --environment staging',
      'dbguard init --user --issuer https://login.example.com --bucket s3://audit/dbguard',
    ],
  },
  {
    path: 'doctor',
    summary: 'look at this machine and these settings, each with what mends it; exit code 1 when something fails',
    options: [
      { flags: '--json', description: 'print JSON' },
      { flags: '--fix', description: 'mend what can be mended without losing anything' },
      configOption,
    ],
    examples: ['dbguard doctor', 'dbguard doctor --json | jq ".checks[] | select(.state != \\"ok\\")"'],
  },
  {
    path: 'trust',
    summary: 'say that this repository’s dbguard.yaml may lead your credentials where it says',
    options: [
      { flags: '--yes', description: 'without a question, where nobody sits at a terminal' },
      { flags: '--forget', description: 'take back what you said of this repository' },
      {
        flags: '--forget-server <server>',
        description: 'host:port of a server that was set up anew: demand no earlier proof of it',
      },
    ],
    examples: [
      'dbguard trust                                    shows what goes where, and asks',
      'dbguard trust --forget-server db.example.com:5432',
    ],
  },
  {
    path: 'login',
    summary: 'log in at your identity provider and bind this machine’s signing key to you',
    options: [
      {
        flags: '--browser',
        description: 'log in through a browser on this machine: stronger evidence than a device code',
      },
      { flags: '--no-open', description: 'never offer to open the browser' },
      { flags: '--qr', description: 'also show the page as a QR code, to confirm on a phone' },
      {
        flags: '--redirect-uri <uri>',
        description: 'loopback address that the browser comes back to; implies --browser',
      },
      { flags: '--token-file <path>', description: 'log in with a token that a CI system or platform wrote to a file' },
      ...identityOptions,
    ],
    examples: [
      'dbguard login                        without a provider there is nothing to do: a key of this machine signs',
      'dbguard login --browser --issuer https://login.example.com --client-id dbguard',
    ],
  },
  {
    path: 'logout',
    summary: 'forget the login here and revoke it at the issuer',
    options: identityOptions,
    examples: ['dbguard logout                       a key of this machine stays: it is nobody’s login'],
  },
  {
    path: 'mark',
    summary: 'choose the words by which you know a true approval prompt',
    options: identityOptions,
    examples: ['dbguard mark                         of your login, or of the key of this machine'],
  },
  {
    path: 'whoami',
    summary: 'who is logged in, until when, how well proven, and where it is kept',
    options: [{ flags: '--json', description: 'print JSON' }, ...identityOptions],
    examples: ['dbguard whoami --json'],
  },
] as const satisfies readonly CommandEntry[];
