/** Where the paths of a mask lead in JSON. Pure. Must not know how JSON is written. */
import type { JsonPath, JsonStep } from '../../policy/json-path.js';
import type { Step } from '../../sql/lineage/places.js';

/** For each path the steps of it that have been taken: a path with `..` can have taken more than one number. */
type Reached = readonly ReadonlySet<number>[];

export class JsonPlaces {
  readonly #paths: readonly (readonly JsonStep[])[];
  readonly #reached: Reached;

  constructor(paths: readonly (readonly JsonStep[])[], reached?: Reached) {
    this.#paths = paths;
    this.#reached = reached ?? paths.map((_, at) => this.#closure(at, [0]));
  }

  /** The same of places that lead to the same. */
  get key(): string {
    return this.#reached.map((states) => [...states].sort((a, b) => a - b).join()).join(';');
  }

  /** A path ends here. */
  get isListed(): boolean {
    return this.#reached.some((states, at) => states.has(this.#paths[at]?.length ?? 0));
  }

  /** Some path goes on from here. */
  get leadsOn(): boolean {
    return this.#reached.some((states) => states.size > 0);
  }

  /** @param key undefined in an array, through which every path leads as it is */
  next(key: string | undefined): JsonPlaces {
    if (key === undefined) return this;
    return this.#after((step) => step === 'any' || (step !== 'deep' && step.name === key));
  }

  /** Where a step may lead that a query takes. */
  along(step: Step): JsonPlaces {
    if (step === 0) return this;
    const named = step === null ? this.#after((one) => one !== 'deep') : this.next(step);
    // a number may be a place in an array, or a field of that name
    return step === null || /^-?\d+$/.test(step) ? named.#with(this.#reached) : named;
  }

  #after(takes: (step: JsonStep) => boolean): JsonPlaces {
    const reached = this.#reached.map((states, at) => {
      const steps = this.#paths[at] ?? [];
      const found: number[] = [];
      for (const state of states) {
        const step = steps[state];
        if (step === 'deep') found.push(state);
        if (step !== undefined && takes(step)) found.push(state + 1);
      }
      return this.#closure(at, found);
    });
    return new JsonPlaces(this.#paths, reached);
  }

  #with(others: Reached): JsonPlaces {
    return new JsonPlaces(
      this.#paths,
      this.#reached.map((states, at) => new Set([...states, ...(others[at] ?? [])])),
    );
  }

  /** `..` may also stand for no step. */
  #closure(path: number, states: readonly number[]): ReadonlySet<number> {
    const steps = this.#paths[path] ?? [];
    return new Set(states.flatMap((state) => (steps[state] === 'deep' ? [state, state + 1] : [state])));
  }
}

/** More than one place may be meant. */
export function isAmbiguous(place: readonly Step[]): boolean {
  return place.some((step) => step === null || (step !== 0 && /^-?\d+$/.test(step)));
}

/** Nothing that stands at the place, at whatever depth, is hidden. */
export function isClean(paths: readonly JsonPath[], listed: 'hidden' | 'shown', place: readonly Step[]): boolean {
  let at = new JsonPlaces(paths.map(({ steps }) => steps));
  for (const step of place) {
    if (at.isListed) return listed === 'shown';
    at = at.along(step);
  }
  if (listed === 'hidden') return !at.isListed && !at.leadsOn;
  return at.isListed && !isAmbiguous(place);
}
