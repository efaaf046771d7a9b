/** Collects the effects of one statement; what differs only in its targets becomes one effect. */
import type { Effect, EffectKind, Target } from '../facts.js';

export interface EffectDetails {
  readonly targets?: readonly (Target | undefined)[];
  /** Default true: no rows, or a condition restricts them. */
  readonly bounded?: boolean;
  readonly opaque?: boolean;
  readonly detail?: string | undefined;
  readonly valueUnknown?: true;
}

export class EffectList {
  readonly #effects = new Map<string, { effect: Effect; targets: Map<string, Target> }>();

  add(kind: EffectKind, details: EffectDetails): void {
    const { bounded = true, opaque = false, detail, valueUnknown } = details;
    const key = `${kind}\0${bounded}\0${opaque}\0${detail ?? ''}\0${valueUnknown === true}`;
    let entry = this.#effects.get(key);
    if (entry === undefined) {
      const effect: Effect = {
        kind,
        targets: [],
        bounded,
        opaque,
        ...(detail === undefined ? {} : { detail }),
        ...(valueUnknown ? { valueUnknown } : {}),
      };
      entry = { effect, targets: new Map() };
      this.#effects.set(key, entry);
    }
    for (const target of details.targets ?? []) if (target !== undefined) addTarget(entry.targets, target);
  }

  addAll(effects: readonly Effect[]): void {
    for (const effect of effects) this.add(effect.kind, effect);
  }

  has(test: (effect: Effect) => boolean): boolean {
    for (const { effect } of this.#effects.values()) if (test(effect)) return true;
    return false;
  }

  toArray(): Effect[] {
    return [...this.#effects.values()].map(({ effect, targets }) => ({ ...effect, targets: [...targets.values()] }));
  }
}

function addTarget(targets: Map<string, Target>, target: Target): void {
  const key = `${target.type}\0${target.schema ?? ''}\0${target.name}`;
  const known = targets.get(key);
  if (known === undefined) targets.set(key, target);
  else targets.set(key, union(known, target));
}

/** No columns means all of them. */
function union(a: Target, b: Target): Target {
  if (a.columns === undefined) return a;
  if (b.columns === undefined) return b;
  return { ...a, columns: [...new Set([...a.columns, ...b.columns])] };
}
