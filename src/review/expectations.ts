/**
 * Whom a lead expects in the bucket, and on which days: a person whose sessions are all missing leaves no hole. And what
 * the lead says of the bucket: how long objects are kept, and which strange ones have been looked at.
 */
import { DbguardError } from '../errors.js';
import { problemText, readYaml, type Value } from '../policy/yaml-source.js';
import type { Finding } from '../transcript/finding.js';
import type { SessionReport } from './session-report.js';

/** Days as `2026-11-23`, UTC, both included. */
export interface ExpectedPerson {
  /** E-mail address or subject. */
  readonly person: string;
  readonly from: string;
  readonly to: string;
  /** Not on Saturdays and Sundays. */
  readonly weekdays: boolean;
}

export interface Expectations {
  readonly people: readonly ExpectedPerson[];
  readonly retentionDays?: number;
  readonly known: readonly string[];
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 3_660;
const fileKeys = { version: 'own', expect: 'own', retention_days: 'own', known_objects: 'own' } as const;
const personKeys = { person: 'own', on: 'own', from: 'own', to: 'own', weekdays: 'own' } as const;

/** A file: `expect`, `retention_days`, `known_objects`. Throws `config-invalid` with every problem. */
export function readExpectations(text: string, file: string): Expectations {
  const { value, problems } = readYaml(text, file, (root) => {
    const fields = root.fields(fileKeys);
    fields.required('version', (item) => item.integer(1, 1), '1');
    const people = fields.optional('expect', (item) => item.list(readPerson)) ?? [];
    const retentionDays = fields.optional('retention_days', (item) => item.integer(1, 36_500));
    const known =
      fields.optional('known_objects', (item) => item.list((key) => key.string('the name of an object'))) ?? [];
    return { people, known, ...(retentionDays === undefined ? {} : { retentionDays }) };
  });
  if (value !== undefined) return value;
  throw new DbguardError('config-invalid', problems.map(problemText).join('\n'), {
    hint: 'See dbguard transcripts verify --help for an example.',
  });
}

function readPerson(value: Value): ExpectedPerson {
  const fields = value.fields(personKeys);
  const person = fields.required('person', (item) => item.string('an e-mail address or a subject'), 'ada@example.com');
  const on = fields.optional('on', readDay);
  const from = on ?? fields.required('from', readDay, '2026-11-23');
  const to = on ?? fields.required('to', readDay, '2026-11-27');
  const weekdays = fields.optional('weekdays', (item) => item.boolean()) ?? false;
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days < 0 || days > MAX_DAYS) return value.fail('the days end before they begin, or are more than ten years');
  return { person, from, to, weekdays };
}

function readDay(value: Value): string {
  const text = value.string('a day like 2026-11-23');
  return isDay(text) ? text : value.expected('a day like 2026-11-23');
}

/** `ada@example.com 2026-11-23` or `... 2026-11-23..2026-11-27`. Undefined for anything else. */
export function parseExpectation(text: string): ExpectedPerson | undefined {
  const [, person = '', from = '', to = from] =
    /^(\S+)[ :=](\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?$/.exec(text) ?? [];
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (!isDay(from) || !isDay(to) || !(days >= 0 && days <= MAX_DAYS)) return undefined;
  return { person, from, to, weekdays: false };
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/**
 * Which of the expected days were seen. Only sessions whose person is proven count: a forged one must not fill the place
 * of a missing one.
 */
export class Expected {
  /** By person in lower case: days that have not been seen. */
  readonly #open = new Map<string, Set<string>>();

  constructor(people: readonly ExpectedPerson[]) {
    for (const { person, from, to, weekdays } of people) {
      const days = this.#open.get(person.toLowerCase()) ?? new Set();
      for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) {
        const weekend = [0, 6].includes(new Date(at).getUTCDay());
        if (!(weekdays && weekend)) days.add(dayOf(at));
      }
      this.#open.set(person.toLowerCase(), days);
    }
  }

  sees({ verdict, level, open, openedAt, lastEntryAt }: SessionReport): void {
    if (verdict === 'invalid' || level === undefined || open === undefined) return;
    for (const name of [open.subject.email, open.subject.sub]) {
      const days = name === undefined ? undefined : this.#open.get(name.toLowerCase());
      if (days === undefined) continue;
      const end = Math.min(lastEntryAt, openedAt + MAX_DAYS * DAY_MS);
      for (let at = openedAt; at < end + DAY_MS; at += DAY_MS) days.delete(dayOf(Math.min(at, end)));
    }
  }

  missing(): Finding[] {
    return [...this.#open].flatMap(([person, days]) => {
      if (days.size === 0) return [];
      const sorted = [...days].sort();
      const shown = sorted.slice(0, 5).join(', ');
      const more = days.size > 5 ? ` and ${days.size - 5} more days` : '';
      const message = `no session of ${person} on ${shown}${more}, UTC: expected, and not there with a proven name`;
      return [{ severity: 'failure', code: 'session-expected', message } as const];
    });
  }
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
