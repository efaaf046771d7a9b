/** `access`: roles that a statement may run as, for itself alone, where the login lacks what it needs. Grants nothing by itself. */
import { configKeys } from './config-keys.js';
import { type NamePattern, parseNamePattern } from './name-pattern.js';
import { readSpan } from './read-span.js';
import type { Place, Value } from './yaml-source.js';

/** What a role can be taken on for: tables, what is in them, and what belongs to them. */
export const accessEffects = [
  'read',
  'insert',
  'update',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'maintenance',
] as const;
export type AccessEffect = (typeof accessEffects)[number];

export interface AccessRule {
  readonly place: Place;
  readonly name: string;
  /** As it stands in pg_roles. The login must be able to SET ROLE to it. */
  readonly role: string;
  readonly tables: readonly NamePattern[];
  readonly effects: readonly AccessEffect[];
  /** Globs over the connection's name; absent: any. */
  readonly connections?: readonly string[];
  readonly decision: 'ask' | 'second-person';
  /** Nothing runs as the role before somebody has said why. */
  readonly reasonRequired: boolean;
  /** The longest time for which a person may open it, milliseconds; absent: for one statement each time. */
  readonly forMs?: number;
}

export function readAccess(value: Value): AccessRule[] {
  const rules = value.list(readAccessRule);
  const seen = new Map<string, AccessRule>();
  for (const rule of rules) {
    const twin = seen.get(rule.name);
    if (twin)
      value.fail(`two entries have the name "${rule.name}", in lines ${twin.place.line} and ${rule.place.line}`);
    seen.set(rule.name, rule);
  }
  return rules;
}

function readAccessRule(value: Value): AccessRule {
  const fields = value.fields(configKeys.access);
  const connections = fields.optional('connection', (item) =>
    item.oneOrMore((one) => one.string('the name of a connection; "*" and "?" are wildcards')),
  );
  const forMs = fields.optional('for', readSpan);
  return {
    place: value.place,
    name: fields.required('name', readName, 'fix-orders'),
    role: fields.required('role', readRole, 'shop_writer'),
    tables: fields.required('tables', (item) => someOf(item, readTable), '[orders, order_items]'),
    effects: fields.required('effects', (item) => someOf(item, (one) => one.oneOf(accessEffects)), '[update, delete]'),
    ...(connections === undefined ? {} : { connections }),
    decision: fields.required('then', (item) => item.oneOf(['ask', 'second-person']), 'ask'),
    reasonRequired: fields.optional('reason', (item) => item.oneOf(['required', 'optional'])) === 'required',
    ...(forMs === undefined ? {} : { forMs }),
  };
}

/** A list of nothing would be an entry that never covers anything. */
function someOf<T>(value: Value, read: (item: Value) => T): T[] {
  const list = value.oneOrMore(read);
  return list.length > 0 ? list : value.fail('expected at least one');
}

function readName(value: Value): string {
  const name = value.string('a name for it');
  return /^[\w.-]{1,80}$/.test(name) ? name : value.fail('a name has letters, digits, ".", "_" and "-" only');
}

/** NAMEDATALEN. */
const longestRole = 63;

export function readRole(value: Value): string {
  const role = value.string('the name of a role of the database');
  if (role.toLowerCase() === 'none') return value.fail('"none" is no role: SET ROLE NONE goes back to the login');
  const fits = Buffer.byteLength(role) <= longestRole && !role.includes('\0');
  return fits ? role : value.fail(`no role of PostgreSQL has a name of more than ${longestRole} bytes`);
}

function readTable(value: Value): NamePattern {
  const pattern = parseNamePattern(value.string('schema.table'), 2);
  return pattern ?? value.fail('expected schema.table, or table alone; "*" and "?" are wildcards');
}
