/** `policy.mass_changes`: from how many rows on an UPDATE or DELETE is asked about. */
import { configKeys } from './config-keys.js';
import type { MassChanges, MassLimits } from './mass-changes.js';
import { environments } from './read-connection.js';
import type { Value } from './yaml-source.js';

export function readMassChanges(value: Value): MassChanges {
  const fields = value.fields(configKeys.mass_changes);
  const each = environments.flatMap((name) => {
    const limits = fields.optional(name, (item) => readLimits(item.fields(configKeys.mass_limits)));
    return limits === undefined ? [] : [[name, limits] as const];
  });
  return { ...readLimits(fields), environments: Object.fromEntries(each) };
}

interface Fields {
  optional<T>(key: keyof typeof configKeys.mass_limits, read: (value: Value) => T): T | undefined;
}

function readLimits(fields: Fields): Partial<MassLimits> {
  const rows = fields.optional('rows', (item) => item.integer(0, 1_000_000_000));
  const share = fields.optional('share', readShare);
  const shareFrom = fields.optional('share_from', (item) => item.integer(0, 1_000_000_000));
  const budget = fields.optional('budget', (item) => item.boolean());
  return {
    ...(rows === undefined ? {} : { rows }),
    ...(share === undefined ? {} : { share }),
    ...(shareFrom === undefined ? {} : { shareFrom }),
    ...(budget === undefined ? {} : { budget }),
  };
}

function readShare(value: Value): number {
  const percent = value.isString ? /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(value.string())?.[1] : undefined;
  const share = Number(percent) / 100;
  return share >= 0 && share <= 1 ? share : value.fail('expected a part of the table, such as 10%');
}
