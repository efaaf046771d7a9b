/** Quantities as people write them. A bare number is refused: `timeout: 60` could be seconds or milliseconds. */

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `90s`, `1.5h` to milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return quantity(text, durationUnits);
}

/** `45s`, `15m`, `1h30m`: to the second, and above an hour to the minute. */
export function durationWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const minutes = seconds < 3600 ? Math.floor(seconds / 60) : Math.ceil(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = hours > 0 ? 0 : seconds % 60;
  const parts = [hours > 0 ? `${hours}h` : '', minutes % 60 > 0 ? `${minutes % 60}m` : '', rest > 0 ? `${rest}s` : ''];
  return parts.join('') || '0s';
}

/** `64KiB`, `1MB` to bytes; undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  return quantity(text, sizeUnits);
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const unit = match?.[2] === undefined || !Object.hasOwn(units, match[2]) ? undefined : units[match[2]];
  if (match === null || unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : undefined;
}

export type Comparison = '>' | '>=' | '<' | '<=' | '=';

/** A number compared with a fixed one: `> 1000`. */
export interface RowCondition {
  readonly operator: Comparison;
  readonly rows: number;
}

/** `> 1000`, `>=10_000`, `< 5`; undefined when it is not a comparison. */
export function parseRowCondition(text: string): RowCondition | undefined {
  const match = /^(>=|<=|>|<|=)\s*(\d[\d_]*)$/.exec(text.trim());
  if (match === null) return undefined;
  const rows = Number((match[2] ?? '').replaceAll('_', ''));
  return Number.isSafeInteger(rows) ? { operator: match[1] as Comparison, rows } : undefined;
}

export function satisfies(rows: number, condition: RowCondition): boolean {
  switch (condition.operator) {
    case '>':
      return rows > condition.rows;
    case '>=':
      return rows >= condition.rows;
    case '<':
      return rows < condition.rows;
    case '<=':
      return rows <= condition.rows;
    case '=':
      return rows === condition.rows;
  }
}
