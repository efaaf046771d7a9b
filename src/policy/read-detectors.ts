/** `detectors`: what becomes of somebody's data in columns that nobody has declared. */
import { configKeys } from './config-keys.js';
import { type Detectable, detectable } from './mask-kinds.js';
import type { Value } from './yaml-source.js';

const detectorModes = ['off', 'report', 'mask'] as const;
/** From the one that does least. */
export type DetectorMode = (typeof detectorModes)[number];

export interface DetectorPolicy {
  readonly modes: Readonly<Partial<Record<Detectable, DetectorMode>>>;
  /** Of each result so many rows are looked at to report, and so many KiB; what is masked is masked in all of them. */
  readonly rows: number;
}

const defaultRows = 1000;

export function readDetectors(value: Value): DetectorPolicy {
  if (!value.isMapping) return { modes: all(value.oneOf(detectorModes)), rows: defaultRows };
  const fields = value.fields(configKeys.detectors);
  const rest = fields.optional('all', (item) => item.oneOf(detectorModes));
  const modes = detectable.map((what) => [what, fields.optional(what, (item) => item.oneOf(detectorModes)) ?? rest]);
  return {
    modes: Object.fromEntries(modes.filter(([, mode]) => mode !== undefined)),
    rows: fields.optional('rows', (item) => item.integer(1, 1_000_000)) ?? defaultRows,
  };
}

const all = (mode: DetectorMode): DetectorPolicy['modes'] => Object.fromEntries(detectable.map((what) => [what, mode]));

/** A file can add to what the others look for, and take nothing away. Undefined: nothing is looked for. */
export function combineDetectors(policies: readonly (DetectorPolicy | undefined)[]): DetectorPolicy | undefined {
  const given = policies.filter((one) => one !== undefined);
  const strictest = (what: Detectable): DetectorMode =>
    detectorModes[Math.max(0, ...given.map(({ modes }) => detectorModes.indexOf(modes[what] ?? 'off')))] ?? 'off';
  const modes = Object.fromEntries(detectable.map((what) => [what, strictest(what)]));
  if (Object.values(modes).every((mode) => mode === 'off')) return undefined;
  return { modes, rows: Math.max(...given.map(({ rows }) => rows)) };
}
