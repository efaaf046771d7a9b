/**
 * Prepared statements and portals of one connection.
 *
 * What lives here: which names may exist on the server, and what each would run.
 * What it must not know: bytes, policy, whether anything is allowed.
 *
 * Where a name is uncertain, every statement that it may stand for is judged; see names.ts. Names are compared as the
 * server does: by their first 63 bytes. What is not ASCII is converted there first, so that two names may be one, or
 * one two: such names stand for something unknown.
 */

import type { Facts } from '../../sql/facts.js';
import type { Column, RowField } from '../../wire/row-description.js';
import type { RepeatedEntry, TextEntry } from '../candidate.js';
import type { Settled } from '../server/meter.js';
import { type Claim, Names, noPipeline } from './names-in-doubt.js';

/** A statement text that the server has been given under a name. */
export interface Prepared {
  readonly sql: string;
  /** As of the catalog's `generation`; `fresh` in prepared-facts.ts renews them. */
  facts: Facts;
  generation: number;
  /** The text is a PREPARE, and what it prepares is this statement of it. */
  readonly part?: number;
  readonly parameterTypes: readonly number[];
  /** What Describe last said of its result. */
  fields?: readonly RowField[];
  /** The same for a recording; undefined where there is none. */
  columns?: readonly Column[];
  /** The journal entry that discloses the text; undefined until one does. */
  entry: TextEntry | undefined;
  repeated?: RepeatedEntry;
  /** Its login may not look into a schema that it names: the server has parsed it as a role. */
  parsedAsRole?: true;
}

export interface Portal {
  readonly statementName: string;
  /** Every statement that the portal may run; one, but for a race with a failing Parse or Bind. */
  readonly prepared: readonly Prepared[];
  readonly parameterFormats: readonly number[];
  readonly resultFormats: readonly number[];
  /** Digest of the connection's circumstances at Bind; see session-state/session-digest.ts. */
  readonly sessionDigest: string;
  /** Undefined is NULL. */
  readonly values: readonly (Buffer | undefined)[];
  /** The `statement` entry under which this portal was let through; fetching more of it is the same statement. */
  admitted: number | undefined;
  /** The catalog's generation by which it was let through. */
  generation: number;
}

/** To be called when the server has answered. */
export type Settle = (how: Settled) => void;

export class Registry {
  readonly #statements = new Names<Prepared>();
  readonly #portals = new Names<Portal>();
  #pipeline = 0;

  /** A Sync has been sent: what comes now runs even when something before has failed. */
  nextPipeline(): void {
    this.#pipeline++;
  }

  /** Every statement `name` may stand for, newest first; empty when the server cannot know the name, or it is not ASCII. */
  statements(name: string): readonly Prepared[] {
    const only = this.#statements.only(key(name), this.#pipeline);
    if (only !== undefined) {
      only.alone ??= [only.value];
      return only.alone;
    }
    return this.#statements.claims(key(name), this.#pipeline).map(({ value }) => value);
  }

  /** Parse has been sent. */
  addStatement(name: string, prepared: Prepared): Settle | undefined {
    return isAsciiName(name) ? added(this.#statements, key(name), prepared, this.#pipeline) : undefined;
  }

  /** A PREPARE has been sent, of which nobody says whether it succeeded. */
  mayPrepare(name: string, prepared: Prepared): void {
    if (isAsciiName(name)) this.#statements.add(key(name), prepared, noPipeline);
  }

  /** Returns what to call when the server has closed it. */
  closingStatement(name: string): Settle | undefined {
    return isAsciiName(name)
      ? removal(this.#statements, this.#statements.claims(key(name), this.#pipeline))
      : undefined;
  }

  closingAllStatements(): Settle {
    const all = [...this.#statements.names()].flatMap((name) => this.#statements.claims(name, noPipeline));
    return removal(this.#statements, all);
  }

  /** What Execute would run. Not to be kept: what is uncertain now may be settled by the next message. */
  portal(name: string): Portal | undefined {
    if (!isAsciiName(name)) return undefined;
    const only = this.#portals.only(key(name), this.#pipeline);
    if (only !== undefined) return only.value;
    const [newest, ...older] = this.#portals.claims(key(name), this.#pipeline);
    if (newest === undefined || older.length === 0) return newest?.value;
    const all = [newest, ...older].map(({ value }) => value);
    // nothing to remember an admission in
    return { ...newest.value, prepared: all.flatMap(({ prepared }) => prepared), admitted: undefined };
  }

  /** Bind has been sent. */
  addPortal(name: string, portal: Portal): Settle {
    const known = isAsciiName(name) ? portal : { ...portal, prepared: [] };
    return added(this.#portals, key(name), known, this.#pipeline);
  }

  closingPortal(name: string): Settle | undefined {
    return isAsciiName(name) ? removal(this.#portals, this.#portals.claims(key(name), this.#pipeline)) : undefined;
  }

  /** The end of a transaction drops every portal that Bind made. */
  clearPortals(): void {
    this.#portals.clear();
  }

  /**
   * Portals other than `name` that have not been let through: FETCH and functions may run them as well.
   *
   * @param name the one that is run now; a simple Query replaces the unnamed one
   */
  waitingPortals(name: string): readonly Portal[] {
    if (this.#portals.size === 0) return none;
    const own = isAsciiName(name) ? key(name) : undefined;
    let waiting: Portal[] | undefined;
    for (const other of this.#portals.names()) {
      if (other === own) continue;
      for (const { value } of this.#portals.claims(other, this.#pipeline)) {
        if (value.admitted !== undefined) continue;
        waiting ??= [];
        waiting.push(value);
      }
    }
    return waiting ?? none;
  }

  /** Besides the one of that name. */
  otherPortals(name: string | undefined): number {
    const own = name === undefined || !isAsciiName(name) ? undefined : key(name);
    return [...this.#portals.names()].filter((one) => one !== own).length;
  }

  get size(): number {
    return this.#statements.size + this.#portals.size;
  }
}

const none: readonly never[] = [];

function added<T>(names: Names<T>, name: string, value: T, pipeline: number): Settle {
  const claim = names.add(name, value, pipeline);
  return (how) => {
    if (how === 'done') names.confirm(claim);
    else names.remove(claim);
  };
}

function removal<T>(names: Names<T>, claims: readonly Claim<T>[]): Settle {
  return (how) => {
    if (how === 'done') for (const claim of claims) names.remove(claim);
  };
}

/** NAMEDATALEN - 1 (pg_config_manual.h): the server keeps no more of a name. */
const nameBytes = 63;

function key(name: string): string {
  return name.length > nameBytes ? name.slice(0, nameBytes) : name;
}

/** @param name one character to one byte */
export function isAsciiName(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) > 0x7f) return false;
  return true;
}
