/**
 * Several files as one: the organisation's, the user's own, the repository's. Who stands higher decides where the
 * evidence goes and who the issuer is; on statements the strictest of all wins, so a repository can only tighten.
 */
import { DbguardError } from '../errors.js';
import type { Config } from './config.js';
import { type Level, levels } from './levels.js';
import type { AccessRule } from './read-access.js';
import type { BucketConfig } from './read-bucket.js';
import type { ConnectionConfig } from './read-connection.js';
import { combineDetectors, type DetectorPolicy } from './read-detectors.js';
import type { IdentityConfig } from './read-identity.js';
import type { IntentUse } from './read-intent.js';
import type { MaskDeclaration } from './read-mask.js';
import { combineSandbox, type SandboxConfig } from './read-sandbox.js';
import type { SecondPersonConfig } from './read-second-person.js';
import type { ServeConfig } from './read-serve.js';
import type { UnmaskRule } from './read-unmask.js';
import type { FoundKey } from './yaml-source.js';

export interface PolicySource {
  readonly level: Level;
  readonly config: Config;
}

export interface CombinedConfig {
  /** Highest level first. */
  readonly sources: readonly PolicySource[];
  readonly identity?: IdentityConfig;
  /** Any file says so: nobody without an identity provider. */
  readonly identityRequired: boolean;
  readonly connections: ReadonlyMap<string, ConnectionConfig>;
  readonly defaultConnection?: string;
  readonly bucket?: BucketConfig;
  readonly mask: readonly MaskDeclaration[];
  readonly maskKey?: Buffer;
  /** Undefined: nothing is looked for. */
  readonly detectors?: DetectorPolicy;
  readonly intent: IntentUse;
  readonly sandbox: SandboxConfig;
  /** Highest level first. */
  readonly unmask: readonly (UnmaskRule & { readonly level: Level })[];
  /** Highest level first. */
  readonly access: readonly AccessRule[];
  /** The highest file's, whole: nobody adds an approver to the organisation's. */
  readonly secondPerson?: SecondPersonConfig;
  /** The highest file's, whole: nobody lets others in beside the organisation's. */
  readonly serve?: ServeConfig;
}

/** Throws `config-invalid` when a repository asks for what only the user's own files may. */
export function combineConfigs(given: readonly PolicySource[]): CombinedConfig {
  const sources = levels.flatMap((level) => given.filter((source) => source.level === level));
  for (const { level, config } of sources) {
    if (level === 'repository') refuseForeign(config, ({ standing }) => standing === 'own');
    if (level === 'organisation') refuseForeign(config, ({ key, section }) => section === '' && key === 'organisation');
  }
  const configs = sources.map((source) => source.config);
  const identity = first(configs, (config) => config.identity);
  const bucket = first(configs, (config) => config.bucket);
  const connections = new Map<string, ConnectionConfig>();
  for (const config of configs) {
    for (const [name, connection] of config.connections) if (!connections.has(name)) connections.set(name, connection);
  }
  const secondPerson = first(configs, (config) => config.secondPerson);
  const serve = first(configs, (config) => config.serve);
  const defaultConnection = first(configs, (config) => config.defaultConnection) ?? onlyName(connections);
  const mask = sources.flatMap(({ level, config }) => config.mask.map((one) => ({ ...one, level })));
  const maskKey = first(configs, (config) => config.maskKey);
  if (maskKey === undefined) refuseUnkeyed(mask);
  const detectors = combineDetectors(configs.map((config) => config.detectors));
  return {
    sources,
    ...(identity === undefined ? {} : { identity }),
    identityRequired: configs.some((config) => config.identityRequired === true),
    connections,
    ...(defaultConnection === undefined ? {} : { defaultConnection }),
    ...(bucket === undefined ? {} : { bucket }),
    mask,
    unmask: sources.flatMap(({ level, config }) => config.unmask.map((one) => ({ ...one, level }))),
    access: configs.flatMap(({ access, policy }) => [...access, ...policy.rules.flatMap((rule) => rule.as ?? [])]),
    ...(maskKey === undefined ? {} : { maskKey }),
    ...(detectors === undefined ? {} : { detectors }),
    intent: first(configs, (config) => config.intent) ?? 'on',
    sandbox: combineSandbox(configs.map((config) => config.sandbox)),
    ...(secondPerson === undefined ? {} : { secondPerson }),
    ...(serve === undefined ? {} : { serve }),
  };
}

/** A hash that joins between sessions needs a key that all of them know. */
function refuseUnkeyed(mask: readonly MaskDeclaration[]): void {
  const unkeyed = mask.find((one) => one.mask.kind === 'hash' && one.mask.joins === 'organisation');
  if (unkeyed === undefined) return;
  const { file, line } = unkeyed.place;
  throw new DbguardError('config-invalid', `${file}:${line}: "joins: organisation" needs the organisation's mask_key`, {
    hint: 'Put mask_key (openssl rand -base64 32) into the organisation’s file, or leave "joins" out.',
  });
}

/** What only the person's own file may say (config-keys.ts), and why, where the key alone does not tell. */
const ownBecause: Readonly<Record<string, string>> = {
  password_command: "a repository's file may not start programs",
  rds_iam: "a repository's file may not have tokens made with your AWS account",
  temporary_login: "a repository's file may not have roles made in your name",
  organisation: 'only your own file may say which organisation is yours',
  unmask: 'only your own file or the organisation’s may say which masks can be lifted',
  access: 'only your own file or the organisation’s may say which roles a statement can run as',
  as: 'only your own file or the organisation’s may say which roles a statement can run as',
  intent: 'only your own file or the organisation’s may switch off what is recorded of agents',
  read: 'only your own file or the organisation’s may open the fence',
  write: 'only your own file or the organisation’s may open the fence',
  hosts: 'only your own file or the organisation’s may say where the fence’s network leads',
  unasked: 'only your own file or the organisation’s may say what an agent starts without a question',
  second_person: 'only your own file or the organisation’s may say who approves what you ask for',
  mask_key: 'whoever may read the key can try values; only your own file or the organisation’s may have it',
};

/** A cloned repository must not start programs just because somebody runs dbguard in it, nor name who decides over it. */
function refuseForeign({ keys }: Config, foreign: (found: FoundKey) => boolean): void {
  const found = keys.find(foreign);
  if (found === undefined) return;
  const { section, key, place } = found;
  const path = section === '' ? key : `${section}.${key}`;
  const why = ownBecause[key] ?? 'only your own file may say this';
  throw new DbguardError('config-invalid', `${place.file}:${place.line}:${place.column}: ${path}: ${why}`, {
    hint: 'Move it into your own dbguard.yaml (dbguard init --user), or name this file with --config.',
  });
}

function first<T>(configs: readonly Config[], get: (config: Config) => T | undefined): T | undefined {
  for (const config of configs) {
    const value = get(config);
    if (value !== undefined) return value;
  }
  return undefined;
}

function onlyName(connections: ReadonlyMap<string, unknown>): string | undefined {
  const [name, ...others] = connections.keys();
  return others.length === 0 ? name : undefined;
}
