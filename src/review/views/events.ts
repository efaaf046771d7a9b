/**
 * Rows as events for a log collector: JSON lines, OCSF, syslog. Each is one line of ASCII; texts of a transcript are in it as JSON
 * has them, so that no character of theirs ends a line or means something to a terminal.
 */
import type { EventFormat } from './event-formats.js';
import { ocsfEvent } from './ocsf.js';
import { type Gravity, gravityOf, type RowEvent, timeOf } from './row-event.js';
import { sessionColumns } from './session-columns.js';
import { entryViews } from './view-table.js';

export function eventLine(event: RowEvent, format: EventFormat, host: string): string {
  if (format === 'ocsf') return ascii(ocsfEvent(event));
  const json = ascii(plainEvent(event));
  return format === 'json' ? json : syslogLine(event, json, host);
}

function plainEvent({ view, row, session }: RowEvent): object {
  const columns = view === 'sessions' ? sessionColumns : entryViews[view].columns;
  const values = columns.flatMap(({ name, type }) => {
    const value = row[name];
    return value === undefined ? [] : [[name, type === 'time' ? isoTime(value) : value]];
  });
  const { sid, person, agent, connection, environment, verification } = session;
  return { view, sid, person, agent, connection, environment, verification, ...Object.fromEntries(values) };
}

function isoTime(us: unknown): string {
  const ms = Math.floor(Number(us) / 1000);
  const micro = String(Number(us) - ms * 1000).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${micro}Z`;
}

/** RFC 5424 section 6.2.1: 13 is the facility "log audit". */
const FACILITY = 13;
const syslogSeverities: Readonly<Record<Gravity, number>> = { bad: 4, doubtful: 2, plain: 6 };

function syslogLine(event: RowEvent, json: string, host: string): string {
  const severity = syslogSeverities[gravityOf(event)];
  // a name of at most 255 printable characters (section 6.2.4)
  const name = host.replace(/[^!-~]/g, '').slice(0, 255) || '-';
  return `<${FACILITY * 8 + severity}>1 ${isoTime(timeOf(event))} ${name} dbguard - ${event.view} - ${json}`;
}

function ascii(value: object): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
