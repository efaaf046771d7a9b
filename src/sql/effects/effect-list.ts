/** Collects the effects of one statement; what differs only in its targets becomes one effect. */
import type { Effect, EffectKind, Target } from '../facts.js';

export interface EffectDetails {
  readonly targets?: readonly (Target | undefined)[];
  /** Default true: no rows, or a condition restricts them. */
  readonly bounded?: boolean;
  readonly opaque?: boolean;
  readonly detail?: string | undefined;
  readonly valueUnknown?: true;
  readonly decides?: true;
  readonly outsideTransaction?: true;
  readonly openCondition?: true;
  readonly mostRows?: number | undefined;
  readonly keyParameters?: readonly number[];
  readonly guessed?: true;
  readonly within?: Effect['within'];
}

export class EffectList {
  readonly #effects = new Map<string, { effect: Effect; targets: Map<string, Target> }>();

  add(kind: EffectKind, details: EffectDetails): void {
    const { bounded = true, opaque = false, detail } = details;
    const { targets: _, ...traits } = details;
    const key = JSON.stringify([kind, { ...traits, bounded, opaque }]);
    let entry = this.#effects.get(key);
    if (entry === undefined) {
      const { valueUnknown, decides, outsideTransaction, openCondition, mostRows, keyParameters, guessed, within } =
        details;
      const effect: Effect = {
        ...{ kind, targets: [], bounded, opaque },
        ...(detail === undefined ? {} : { detail }),
        ...(valueUnknown ? { valueUnknown } : {}),
        ...(decides ? { decides } : {}),
        ...(outsideTransaction ? { outsideTransaction } : {}),
        ...(openCondition ? { openCondition } : {}),
        ...(mostRows === undefined ? {} : { mostRows }),
        ...(keyParameters === undefined ? {} : { keyParameters }),
        ...(guessed ? { guessed } : {}),
        ...(within ? { within } : {}),
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
