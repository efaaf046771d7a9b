/** `sandbox:` whether `dbguard run` locks its child into a fence, and what the person opens in it. */
import { configKeys } from './config-keys.js';
import type { Value } from './yaml-source.js';

/**
 * Loosest first: `off`; `on`, where the machine can; `required`, or nothing starts. Of several files the strictest holds, so
 * a repository cannot take a fence away.
 */
const sandboxUses = ['off', 'on', 'required'] as const;
export type SandboxUse = (typeof sandboxUses)[number];

export interface SandboxConfig {
  readonly use?: SandboxUse;
  /** As written: absolute, or below the home folder with `~/`. */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** `sandbox: required` for short, or a mapping. */
export function readSandbox(value: Value): SandboxConfig {
  if (value.isString) return { use: value.oneOf(sandboxUses), read: [], write: [] };
  const fields = value.fields(configKeys.sandbox);
  const use = fields.optional('use', (item) => item.oneOf(sandboxUses));
  return {
    ...(use === undefined ? {} : { use }),
    read: fields.optional('read', (item) => item.list(readPlace)) ?? [],
    write: fields.optional('write', (item) => item.list(readPlace)) ?? [],
  };
}

/** A relative path would be another place in every folder that dbguard is started in. */
function readPlace(value: Value): string {
  const path = value.string('a path');
  if (!/^(?:~?\/)/.test(path)) return value.fail('expected an absolute path, or one below your home folder: ~/folder');
  if (path.split('/').includes('..')) return value.fail('expected a path without ".."');
  return path.length > 2 ? path.replace(/\/+$/, '') : value.fail('that would open everything');
}

export function combineSandbox(configs: readonly (SandboxConfig | undefined)[]): SandboxConfig {
  const uses = configs.flatMap((config) => config?.use ?? []);
  const use = sandboxUses.findLast((one) => uses.includes(one));
  return {
    ...(use === undefined ? {} : { use }),
    read: configs.flatMap((config) => config?.read ?? []),
    write: configs.flatMap((config) => config?.write ?? []),
  };
}
