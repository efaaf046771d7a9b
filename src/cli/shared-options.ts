/** Options that several commands take, each written once. */
import { profileNames } from '../policy/profiles.js';

/** Which login is meant; flags win over the environment, the environment over dbguard.yaml. */
export const identityOptions = [
  { flags: '--issuer <url>', description: 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)' },
  { flags: '--client-id <id>', description: 'client id of dbguard at that issuer' },
  { flags: '--profile <name>', description: 'keep several logins apart by a name' },
  { flags: '--config <file>', description: 'use this file instead of the nearest dbguard.yaml' },
] as const;

export const configOption = {
  flags: '--config <file>',
  description: 'use this file instead of the nearest dbguard.yaml',
} as const;

/** Whose statement is judged, and by what. */
export const judgingOptions = [
  { flags: '--policy <file>', description: 'judge by this file alone' },
  configOption,
  { flags: '--profile <name>', description: 'judge by another built-in profile', choices: profileNames },
  { flags: '--connection <name>', description: 'on this connection of dbguard.yaml, by its live catalog' },
  { flags: '--offline', description: 'with --connection: without asking its database' },
  { flags: '--user <name>', description: 'as if a client came as this user of the connection' },
  { flags: '--subject <name>', description: 'as if this person were logged in' },
  { flags: '--agent <command>', description: 'as if this agent sent it' },
] as const;

/** Which database, judged by what. */
export const guardOptions = [
  { flags: '--connection <name>', description: 'connection of dbguard.yaml (default: default_connection)' },
  {
    flags: '--from <place>',
    description: 'where no dbguard.yaml names one: take the connection found there, as .env or DATABASE_URL',
  },
  configOption,
  { flags: '--policy <file>', description: 'judge by this file alone' },
  { flags: '--profile <name>', description: `built-in profile: ${profileNames.join(', ')}`, choices: profileNames },
  { flags: '--reason <text>', description: 'why roles are needed that the login is not: shown to whoever approves' },
] as const;

export const bucketOptions = [
  { flags: '--bucket <url>', description: 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)' },
  configOption,
] as const;

export const transcriptOptions = [
  { flags: '--json', description: 'print JSON, one line for each item' },
  ...bucketOptions,
] as const;

export const dayOptions = [
  { flags: '--day <date>', description: 'only this day, as 2026-11-23' },
  { flags: '--since <date>', description: 'only from this day on' },
] as const;

/** Whose word is taken for who somebody is. */
export const verificationOptions = [
  { flags: '--keys <path>', description: 'the leads’ archive (archive-keys, revoke-key), or a file with a key set' },
  { flags: '--offline', description: 'do not ask the issuer for its keys' },
  { flags: '--issuer <url>', description: 'the only issuer to accept (default: identity.issuer in dbguard.yaml)' },
  { flags: '--client-id <id>', description: 'the only client id to accept' },
  { flags: '--workload-issuer <url>', description: 'an issuer of CI jobs or services to accept as well' },
] as const;
