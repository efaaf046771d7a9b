/**
 * What was read of sessions at an earlier look, so that the list of twenty thousand is there at once. A cache, held against
 * the bucket's listing of now: what lies there otherwise is read again, what lies there no longer is said to be gone. It holds
 * no verdict, so that none can be read out of it.
 */
import { isRecord } from '../../transcript/line.js';
import { type ListedSession, nameOf, type Stored } from './listed-session.js';

/** Of the form of the text. */
const VERSION = 1;
const DAY_MS = 86_400_000;
/** Sessions that are gone are shown for so long: retention takes one after the other. */
const GONE_MS = 30 * DAY_MS;

export class SessionIndex {
  readonly #earlier: Map<string, ListedSession>;
  readonly #now = new Map<string, ListedSession>();

  /** @param text as `text` of an earlier one gave it; another text is none */
  constructor(text: string | undefined) {
    this.#earlier = new Map(parsed(text).map((session) => [nameOf(session), session]));
  }

  /** As they were at the earlier look, whatever has become of them. */
  get earlier(): readonly ListedSession[] {
    return [...this.#earlier.values()];
  }

  /** What is known of a session that lies in the bucket like this now; undefined where it has to be read. */
  known(name: string, stored: Stored): ListedSession | undefined {
    const known = this.#earlier.get(name);
    if (known === undefined || known.listing !== stored.listing || known.since === 'gone') return undefined;
    this.#now.set(name, known);
    return known;
  }

  /** It was read. Returns it with what that says of the earlier look. */
  read(session: ListedSession): ListedSession {
    const name = nameOf(session);
    const before = this.#earlier.get(name);
    const { since: _, goneAt: __, ...plain } = session;
    const isChanged = before?.final === true && (before.since === 'changed' || before.segments !== session.segments);
    const read: ListedSession = isChanged ? { ...plain, since: 'changed' } : plain;
    this.#now.set(name, read);
    return read;
  }

  /** Every session of the span was listed: what is left of the earlier ones is not in the bucket any more. */
  missing(now: number, isMeant: (session: ListedSession) => boolean): ListedSession[] {
    return [...this.#earlier.values()].flatMap((session): ListedSession[] => {
      const name = nameOf(session);
      if (this.#now.has(name)) return [];
      if (!isMeant(session)) {
        this.#now.set(name, session);
        return [];
      }
      const gone: ListedSession = { ...session, since: 'gone', goneAt: session.goneAt ?? now };
      if (now - (gone.goneAt ?? now) > GONE_MS) return [];
      this.#now.set(name, gone);
      return [gone];
    });
  }

  /** For the next look. */
  get text(): string {
    return JSON.stringify({ v: VERSION, sessions: [...this.#now.values()] });
  }
}

function parsed(text: string | undefined): ListedSession[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || value.v !== VERSION || !Array.isArray(value.sessions)) return [];
    return value.sessions.flatMap((one: unknown) => listedIn(one) ?? []);
  } catch {
    return [];
  }
}

const texts = ['person', 'connection', 'environment', 'agent', 'level', 'problem'] as const;
const numbers = ['statements', 'asked', 'denied', 'goneAt'] as const;

/** Field by field: what is not known of an index does not come out of it. */
function listedIn(value: unknown): ListedSession | undefined {
  if (!isRecord(value)) return undefined;
  const { sid, subject, startedAt, final, segments, listing, redactions, strangers, since } = value;
  if ([sid, subject, segments, listing].some((one) => typeof one !== 'string')) return undefined;
  if ([startedAt, redactions, strangers].some((one) => typeof one !== 'number') || typeof final !== 'boolean')
    return undefined;
  const said: Record<string, unknown> = { sid, subject, startedAt, final, segments, listing, redactions, strangers };
  for (const name of texts) if (typeof value[name] === 'string') said[name] = value[name];
  for (const name of numbers) if (typeof value[name] === 'number') said[name] = value[name];
  if (since === 'changed' || since === 'gone') said.since = since;
  return said as unknown as ListedSession;
}
