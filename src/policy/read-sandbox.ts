/** `sandbox:` whether `dbguard run` locks its child into a fence, and what the person opens in it. */
import { configKeys } from './config-keys.js';
import { type HostEntry, readHost } from './hosts.js';
import type { Value } from './yaml-source.js';

/**
 * Loosest first: `off`; `on`, where the machine can; `required`, or nothing starts. Of several files the strictest holds, so
 * a repository cannot take a fence away.
 */
const sandboxUses = ['off', 'on', 'required'] as const;
export type SandboxUse = (typeof sandboxUses)[number];

/** Loosest first: `shared` with this machine; `guarded`: the database through dbguard, the hosts on the list, and no other way. */
export const sandboxNetworks = ['shared', 'guarded'] as const;
export type SandboxNetwork = (typeof sandboxNetworks)[number];

export interface SandboxConfig {
  readonly use?: SandboxUse;
  readonly network?: SandboxNetwork;
  /** Besides what everybody needs. */
  readonly hosts: readonly HostEntry[];
  /** As written: absolute, or below the home folder with `~/`. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Programs that a known agent starts without its own question, where nothing starts without the fence. */
  readonly unasked: readonly string[];
}

/** `sandbox: required` for short, or a mapping. */
export function readSandbox(value: Value): SandboxConfig {
  if (value.isString) return { use: value.oneOf(sandboxUses), hosts: [], read: [], write: [], unasked: [] };
  const fields = value.fields(configKeys.sandbox);
  const use = fields.optional('use', (item) => item.oneOf(sandboxUses));
  const network = fields.optional('network', (item) => item.oneOf(sandboxNetworks));
  return {
    ...(use === undefined ? {} : { use }),
    ...(network === undefined ? {} : { network }),
    hosts: fields.optional('hosts', (item) => item.list(readHostEntry)) ?? [],
    read: fields.optional('read', (item) => item.list(readPlace)) ?? [],
    write: fields.optional('write', (item) => item.list(readPlace)) ?? [],
    unasked: fields.optional('unasked', (item) => item.list(readProgram)) ?? [],
  };
}

function readHostEntry(value: Value): HostEntry {
  const text = value.string('the name of a host');
  return (
    readHost(text) ??
    value.fail('expected a name such as registry.example.com, *.example.com, git.example.com:8443 or localhost:11434')
  );
}

/** A relative path would be another place in every folder that dbguard is started in. */
function readPlace(value: Value): string {
  const path = value.string('a path');
  if (!/^(?:~?\/)/.test(path)) return value.fail('expected an absolute path, or one below your home folder: ~/folder');
  if (path.split('/').includes('..')) return value.fail('expected a path without ".."');
  return path.length > 2 ? path.replace(/\/+$/, '') : value.fail('that would open everything');
}

/** As agents match commands: a name, which no pattern of theirs can widen. */
function readProgram(value: Value): string {
  const name = value.string('the name of a program');
  return /^[\w.+-]+$/.test(name) ? name : value.fail('expected the name of a program, such as psql');
}

export function combineSandbox(configs: readonly (SandboxConfig | undefined)[]): SandboxConfig {
  const uses = configs.flatMap((config) => config?.use ?? []);
  const use = sandboxUses.findLast((one) => uses.includes(one));
  const networks = configs.flatMap((config) => config?.network ?? []);
  const network = sandboxNetworks.findLast((one) => networks.includes(one));
  return {
    ...(use === undefined ? {} : { use }),
    ...(network === undefined ? {} : { network }),
    hosts: configs.flatMap((config) => config?.hosts ?? []),
    read: configs.flatMap((config) => config?.read ?? []),
    write: configs.flatMap((config) => config?.write ?? []),
    unasked: configs.flatMap((config) => config?.unasked ?? []),
  };
}
