/** Collects the effects of one statement; what differs only in its targets becomes one effect, and the rows add up. */
import type { Effect, EffectFields, EffectKind, Target } from '../facts.js';

export type EffectDetails = {
  readonly [Field in keyof EffectFields | 'detail']?: Effect[Field] | undefined;
} & {
  readonly targets?: readonly (Target | undefined)[];
  /** Default true: no rows, or a condition restricts them. */
  readonly bounded?: boolean;
  readonly opaque?: boolean;
};

export class EffectList {
  readonly #effects = new Map<string, { effect: Effect; readonly targets: Map<string, Target> }>();

  add(kind: EffectKind, details: EffectDetails): void {
    const { targets = [], bounded = true, opaque = false, ...fields } = details;
    const effect: Effect = { kind, targets: [], bounded, opaque, ...present(fields) };
    const key = JSON.stringify({ ...effect, mostRows: effect.mostRows === undefined, namedRows: undefined });
    let entry = this.#effects.get(key);
    if (entry === undefined) {
      entry = { effect, targets: new Map() };
      this.#effects.set(key, entry);
    } else {
      entry.effect = together(entry.effect, effect);
    }
    for (const target of targets) if (target !== undefined) addTarget(entry.targets, target);
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

/** Of two that are alike: which rows they are is told apart no more. */
function together({ namedRows: _, mostByColumn: _by, ...one }: Effect, { mostRows }: Effect): Effect {
  return one.mostRows === undefined || mostRows === undefined ? one : { ...one, mostRows: one.mostRows + mostRows };
}

/** Always in the same order, whatever the order of those who say them. */
function present(fields: Omit<EffectDetails, 'targets' | 'bounded' | 'opaque'>): Partial<Effect> {
  const said = Object.entries(fields).filter(([name, value]) => value !== undefined && name !== 'kind');
  return Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1)));
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
