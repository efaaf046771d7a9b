/** One entry of a session with everything that is shown of it, for whoever shows sessions row by row. */
import type { Entry } from '../transcript/entry.js';
import { EarlierEntries } from './earlier-entries.js';
import { itemMeant, type TimelineItem } from './timeline.js';

/** Texts are attacker-controlled. */
export interface ReadItem {
  /** Place of its session among those that are read together. */
  readonly session: number;
  readonly item: TimelineItem;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly disclosed: Readonly<Record<string, unknown>>;
  /** As the parser read it, also where an earlier entry says so. */
  readonly facts: unknown;
}

/** Takes the entries of one session, in order. */
export function itemReader(session: number): (entry: Entry, disclosed: Readonly<Record<string, unknown>>) => ReadItem {
  const earlier = new EarlierEntries();
  return (entry, disclosed) => {
    const meant = earlier.meant(entry, disclosed);
    const item = itemMeant(entry, disclosed, meant);
    return { session, item, fields: withoutTokens(entry.fields), disclosed, facts: meant.facts };
  };
}

/** A token may still be good for a login elsewhere: it is verified, not shown. */
const tokens: readonly string[] = ['idToken', 'accessToken', 'certificate', 'proof', 'gateway'];

function withoutTokens(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!tokens.some((name) => name in fields)) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !tokens.includes(name)));
}
