import { configKeys } from './config-keys.js';
import { parseDuration } from './units.js';
import type { Value } from './yaml-source.js';

/** How strongly the issuer must vouch for the signing key; best first. The identity floor defines what each means. */
const levels = ['nonce', 'dpop', 'audience', 'asserted', 'local'] as const;

export interface IdentityConfig {
  /** OpenID Connect issuer: an https URL; http for loopback only, which the login checks. */
  readonly issuer: string;
  readonly clientId: string;
  /** Environment variable that holds the client's secret; the secret itself never stands in a file. */
  readonly clientSecretEnv?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  /** Issuers whose tokens belong to CI jobs and services, beside `issuer` or the same. */
  readonly workloadIssuers?: readonly string[];
  readonly minimumLevel?: (typeof levels)[number];
  /** Milliseconds. */
  readonly maxLoginAgeMs?: number;
  /** Who may sign for others, and what their tokens for it are made for. */
  readonly gateway?: GatewayIdentity;
}

export interface GatewayIdentity {
  readonly audience: string;
  /** Clients of the issuer that may ask for such tokens. */
  readonly clients: readonly string[];
  /** `sub` of the gateways themselves. */
  readonly subjects: readonly string[];
}

export function readIdentity(value: Value): IdentityConfig {
  const fields = value.fields(configKeys.identity);
  const clientSecretEnv = fields.optional('client_secret_env', readEnvName);
  const scopes = fields.optional('scopes', (item) => item.list((scope) => scope.string()));
  const audience = fields.optional('audience', (item) => item.string());
  const workloadIssuers = fields.optional('workload_issuers', (item) => item.list(readIssuer));
  const minimumLevel = fields.optional('minimum_level', (item) => item.oneOf(levels));
  const maxLoginAgeMs = fields.optional('max_login_age', readDuration);
  const clientId = fields.required('client_id', (item) => item.string(), 'dbguard');
  const gateway = fields.optional('gateway', (item) => readGateway(item, [clientId, audience]));
  return {
    issuer: fields.required('issuer', readIssuer, 'https://login.example.com'),
    clientId,
    ...(clientSecretEnv === undefined ? {} : { clientSecretEnv }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(audience === undefined ? {} : { audience }),
    ...(workloadIssuers === undefined ? {} : { workloadIssuers }),
    ...(minimumLevel === undefined ? {} : { minimumLevel }),
    ...(maxLoginAgeMs === undefined ? {} : { maxLoginAgeMs }),
    ...(gateway === undefined ? {} : { gateway }),
  };
}

/** `identity: required`, in a file that leaves it to another to say who the provider is. */
export function readRequired(value: Value): 'required' {
  return value.oneOf(['required'] as const);
}

/** @param own what the tokens are for that stand in transcripts, where everybody who reads them could take them from */
function readGateway(value: Value, own: readonly (string | undefined)[]): GatewayIdentity {
  const fields = value.fields(configKeys.identity_gateway);
  const words = (item: Value): string[] => item.oneOrMore((one) => one.string());
  const audience = fields.required('audience', (item) => readGatewayAudience(item, own), 'dbguard-gateway');
  return {
    audience,
    clients: fields.optional('clients', words) ?? [audience],
    subjects: fields.optional('subjects', words) ?? [],
  };
}

function readGatewayAudience(value: Value, own: readonly (string | undefined)[]): string {
  const audience = value.string();
  if (!own.includes(audience)) return audience;
  return value.fail('expected another audience than dbguard’s own: the tokens for that one stand in transcripts');
}

export function readDuration(value: Value): number {
  const milliseconds = value.isString ? parseDuration(value.string()) : undefined;
  return milliseconds ?? value.fail('expected a duration with its unit, such as 60s, 5m or 12h');
}

function readIssuer(value: Value): string {
  const text = value.string('the issuer URL');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    return value.fail('expected an https URL, such as https://login.example.com');
  if (url.username || url.password || url.hash) return value.fail('an issuer URL has no user, password or fragment');
  return text;
}

function readEnvName(value: Value): string {
  const name = value.string('the name of an environment variable');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : value.expected('the name of an environment variable');
}
