/**
 * Masks that a person has lifted for a while. Asked for in the session, by SET dbguard.unmask = 'schema.table.column',
 * and granted when a person has said yes to that statement.
 *
 * What lives here: what may be asked for, what is lifted now. What it must not know: who asked, how a person is asked.
 */

import type { Level } from '../policy/levels.js';
import { type Audience, surelyMeets } from '../policy/mask-audience.js';
import { matchName, parseNamePattern } from '../policy/name-pattern.js';
import type { MaskDeclaration } from '../policy/read-mask.js';
import type { UnmaskRule } from '../policy/read-unmask.js';

export const unmaskSetting = 'dbguard.unmask';

export interface ExemptionParts {
  readonly rules: readonly (UnmaskRule & { readonly level: Level })[];
  readonly declarations: readonly MaskDeclaration[];
  readonly audience: Audience;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export type ExemptionRequest =
  | { readonly kind: 'ask'; readonly column: string; readonly forMs: number; readonly origin: string }
  | { readonly kind: 'refused'; readonly reason: string };

type ColumnName = readonly [schema: string, table: string, column: string];

export class Exemptions {
  readonly #parts: ExemptionParts;
  /** Ends by column, on the clock of `now`. */
  readonly #until = new Map<string, { readonly name: ColumnName; readonly end: number }>();
  #version = 0;

  constructor(parts: ExemptionParts) {
    this.#parts = parts;
  }

  /** Changes whenever an exemption has begun or ended. */
  get version(): number {
    const now = this.#parts.now();
    for (const [column, { end }] of this.#until) {
      if (end > now) continue;
      this.#until.delete(column);
      this.#version++;
    }
    return this.#version;
  }

  /** @param asked the value that the client gave the setting */
  request(asked: string): ExemptionRequest {
    const name = columnName(asked);
    if (name === undefined) return refused('Say which column, as schema.table.column.');
    const rule = this.#ruleFor(name);
    if (rule === undefined) return refused('Nobody may be asked to lift the mask of this column.');
    const column = name.join('.');
    return { kind: 'ask', column, forMs: rule.forMs, origin: `${rule.place.file}:${rule.place.line}` };
  }

  /** A person has said yes to `request(asked)`. */
  grant(asked: string): void {
    const name = columnName(asked);
    const rule = name && this.#ruleFor(name);
    if (name === undefined || rule === undefined) return;
    this.#until.set(name.join('.'), { name, end: this.#parts.now() + rule.forMs });
    this.#version++;
  }

  /** Whether a person can be asked about it. */
  isLiftable(schema: string, table: string, column: string): boolean {
    return this.#ruleFor([schema, table, column]) !== undefined;
  }

  isLifted(schema: string, table: string, column: string): boolean {
    if (this.#until.size === 0) return false;
    for (const { name } of this.#until.values()) {
      if (name[0] === schema && name[1] === table && name[2] === column) return true;
    }
    return false;
  }

  /** What the organisation masks, only its own file can say may be lifted. */
  #ruleFor(name: ColumnName): UnmaskRule | undefined {
    const { rules, declarations, audience } = this.#parts;
    const organisations = declarations.some(
      ({ level, column }) => level === 'organisation' && matchName(column, name) === 'yes',
    );
    return rules.find(
      (rule) =>
        matchName(rule.column, name) === 'yes' &&
        rule.level !== 'repository' &&
        (!organisations || rule.level === 'organisation') &&
        surelyMeets(rule.when, audience),
    );
  }
}

const refused = (reason: string): ExemptionRequest => ({ kind: 'refused', reason });

function columnName(text: string): ColumnName | undefined {
  if (/[*?]/.test(text)) return undefined;
  const [schema, table, column] = parseNamePattern(text.trim(), 3)?.parts ?? [];
  return schema && table && column ? [schema, table, column] : undefined;
}
