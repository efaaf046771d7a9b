/**
 * The times that servers and log collectors write, as milliseconds since 1970 UTC. A zone that is written as an
 * abbreviation, or not at all, has to be known from elsewhere: CST is three zones.
 */

export interface ServerClockOptions {
  /** Of times whose zone is not a number: `Z`, `+01:00`, or a name as in `log_timezone`: `Europe/Berlin`. */
  readonly zone?: string | undefined;
  /** For times without a year: it is the latest that does not lie in the future. Milliseconds since 1970 UTC. */
  readonly now?: number;
}

export class ServerClock {
  readonly #zone: string | undefined;
  readonly #now: number;

  constructor({ zone, now = Date.now() }: ServerClockOptions = {}) {
    this.#zone = zone;
    this.#now = now;
  }

  /** Undefined where the zone, or the whole form, is not known. */
  read(text: string): number | undefined {
    const trimmed = text.trim();
    if (/^\d{9,10}(?:\.\d+)?$/.test(trimmed)) return Math.floor(Number(trimmed) * 1000);
    const [, day, clock, zone = ''] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(.*)$/.exec(trimmed) ?? [];
    if (day !== undefined && clock !== undefined) return this.#at(`${day}T${clock.slice(0, 12)}`, zone);
    return this.#withoutYear(trimmed);
  }

  /** RFC 3164, section 4.1.2: `Nov  9 03:00:01`, in the server's local time. A day of slack for its zone. */
  #withoutYear(text: string): number | undefined {
    const [, month = '', day = '', clock = ''] =
      /^([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:\.\d+)?$/.exec(text) ?? [];
    const number = months.indexOf(month) + 1;
    if (number === 0) return undefined;
    const year = new Date(this.#now).getUTCFullYear();
    for (const candidate of [year + 1, year, year - 1]) {
      const at = this.#at(`${candidate}-${twoDigits(number)}-${twoDigits(Number(day))}T${clock}`, '');
      if (at !== undefined && at <= this.#now + 86_400_000) return at;
    }
    return undefined;
  }

  #at(local: string, zone: string): number | undefined {
    if (/^(?:Z|UTC|GMT)$/.test(zone)) return date(`${local}Z`);
    const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?(?::?\d\d)?$/.exec(zone) ?? [];
    if (hours !== undefined) return date(`${local}${hours}:${minutes}`);
    if (this.#zone === undefined) return undefined;
    if (/^(?:Z|[+-]\d\d:\d\d)$/.test(this.#zone)) return date(`${local}${this.#zone}`);
    return inZone(local, zone, this.#zone);
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** True for what `ServerClockOptions.zone` takes. */
export function isZone(zone: string): boolean {
  if (/^(?:Z|[+-]\d\d:\d\d)$/.test(zone)) return true;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

function date(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** In the hour that summer time repeats, the abbreviation tells which one it is. */
function inZone(local: string, abbreviation: string, zone: string): number | undefined {
  const asUtc = date(`${local}Z`);
  if (asUtc === undefined) return undefined;
  const hour = 3_600_000;
  const candidates = [-24, 24].map((away) => asUtc - offset(asUtc + away * hour, zone));
  const fitting = [...new Set(candidates)].filter((at) => at + offset(at, zone) === asUtc);
  return fitting.find((at) => namesAt(at, zone).includes(abbreviation)) ?? fitting[0] ?? candidates[0];
}

function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(at);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const whole = Math.floor(at / 1000) * 1000;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - whole;
}

function namesAt(at: number, zone: string): string[] {
  return ['en-US', 'en-GB', 'en-AU'].map(
    (language) =>
      new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: 'short' })
        .formatToParts(at)
        .find(({ type }) => type === 'timeZoneName')?.value ?? '',
  );
}
