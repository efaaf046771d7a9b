/** What a connection to the server needs to know, resolved and checked. Terms are libpq's ("Parameter Key Words"). */

import type { AuthMethod } from './auth-method.js';
import type { ConnectionMemory } from './memory.js';
import type { OauthTokenSource } from './oauth.js';
import type { Secret } from './secret.js';
import type { ServerProofs } from './server-proofs.js';

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export const targetSessionAttrs = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type TargetSessionAttrs = (typeof targetSessionAttrs)[number];

export interface UpstreamHost {
  /** Name, IP address, or unix socket folder (starts with `/` or `@`). What certificates and .pgpass are checked against. */
  readonly host: string;
  /** IP address to connect to instead of looking `host` up. */
  readonly hostaddr: string | undefined;
  readonly port: number;
}

export interface UpstreamTls {
  readonly mode: SslMode;
  readonly negotiation: 'postgres' | 'direct';
  /** `system`: the operating system's roots. */
  readonly rootcert: TlsFile | 'system';
  /** SSL_CERT_FILE, where OpenSSL looks for the system's roots first. */
  readonly systemBundle: string | undefined;
  /** Client certificate; undefined where none is to be sent (sslcertmode=disable). */
  readonly cert: TlsFile | undefined;
  readonly key: TlsFile;
  readonly keyPassword: Secret | undefined;
  readonly crl: TlsFile;
  readonly crldir: string | undefined;
  readonly sni: boolean;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion | undefined;
}

export interface TlsFile {
  readonly path: string;
  /** Named in the connection, so it must be there; else libpq's standard place, which may be empty. */
  readonly given: boolean;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** Rejects with DbguardError where none can be made. */
export type PasswordMint = (login: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}) => Promise<Secret>;

export interface UpstreamAuth {
  readonly password: Secret | undefined;
  /** Run before connecting when no password is given: a program and its arguments, no shell. The first line it prints is the password. */
  readonly passwordCommand: readonly string[] | undefined;
  /** Makes a password for one login; then none is looked for elsewhere, and it goes out over verified TLS only. */
  readonly minted: PasswordMint | undefined;
  readonly passfile: string | undefined;
  readonly channelBinding: 'disable' | 'prefer' | 'require';
  /** undefined: every method is fine. */
  readonly requireAuth: readonly AuthMethod[] | undefined;
  /** base64 of 32 bytes each: what SCRAM needs instead of a password (libpq's scram_client_key, scram_server_key). */
  readonly scramClientKey: Secret | undefined;
  readonly scramServerKey: Secret | undefined;
  readonly oauthIssuer: string | undefined;
  readonly oauthScope: string | undefined;
}

export interface UpstreamConfig {
  readonly hosts: readonly UpstreamHost[];
  readonly user: string;
  readonly database: string;
  readonly tls: UpstreamTls;
  readonly auth: UpstreamAuth;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly loadBalanceHosts: boolean;
  /** Milliseconds for one address, name lookup to ReadyForQuery; never without end. */
  readonly connectTimeout: number;
  /** Milliseconds of idleness before the first probe; undefined: no keepalives. 0: the system's default. */
  readonly keepalivesIdle: number | undefined;
  /** Minor versions of protocol 3. */
  readonly minProtocolMinor: number;
  readonly maxProtocolMinor: number | undefined;
  /** Startup parameters that the connection string asks for: `options`, `application_name`, `client_encoding`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Where a token comes from when the server asks for OAuth; every connection of this configuration may need one. */
  readonly oauthToken?: OauthTokenSource;
  /** Shared by the connections of this configuration. */
  readonly memory: ConnectionMemory;
  /** What servers proved before; undefined: nothing is remembered. */
  readonly proofs?: ServerProofs;
  /** Settings that were given but cannot be honoured here, each with the reason. */
  readonly ignored: readonly IgnoredSetting[];
}

export interface IgnoredSetting {
  readonly keyword: string;
  readonly reason: string;
}
