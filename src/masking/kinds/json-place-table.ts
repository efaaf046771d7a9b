/** Where the paths of a mask lead, as a table that a pass over bytes can follow: no sets and no strings for each key. */
import type { JsonPath } from '../../policy/json-path.js';
import type { JsonPlaces } from './json-places.js';

export interface Place {
  readonly isListed: boolean;
  readonly leadsOn: boolean;
  /** Behind the key `bytes[start, end)`, UTF-8. */
  under(bytes: Uint8Array, start: number, end: number): Place;
}

interface Name {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Places that are kept: there are few but for paths that nobody writes. */
const placesKept = 1000;

export function placeTable(paths: readonly JsonPath[]): (places: JsonPlaces) => Place {
  const steps = paths.flatMap((path) => path.steps);
  const texts = [...new Set(steps.flatMap((step) => (typeof step === 'object' ? [step.name] : [])))];
  const names = texts.map((text): Name => ({ text, bytes: Buffer.from(text, 'utf8') }));
  // longer than each of them
  const noName = `${texts.join('')}.`;
  const known = new Map<string, Place>();
  const placeOf = (places: JsonPlaces): Place => {
    const { key } = places;
    const place = known.get(key) ?? new KnownPlace(places, names, noName, placeOf);
    if (known.size < placesKept) known.set(key, place);
    return place;
  };
  return placeOf;
}

class KnownPlace implements Place {
  readonly isListed: boolean;
  readonly leadsOn: boolean;
  readonly #places: JsonPlaces;
  readonly #names: readonly Name[];
  readonly #noName: string;
  readonly #placeOf: (places: JsonPlaces) => Place;
  /** Behind each of the names that leads elsewhere than all others. */
  #named: readonly { readonly name: Buffer; readonly place: Place }[] | undefined;
  #other: Place | undefined;

  constructor(places: JsonPlaces, names: readonly Name[], noName: string, placeOf: (places: JsonPlaces) => Place) {
    this.isListed = places.isListed;
    this.leadsOn = places.leadsOn;
    this.#places = places;
    this.#names = names;
    this.#noName = noName;
    this.#placeOf = placeOf;
  }

  under(bytes: Uint8Array, start: number, end: number): Place {
    this.#other ??= this.#placeOf(this.#places.next(this.#noName));
    const other = this.#other;
    this.#named ??= this.#names
      .map(({ text, bytes }) => ({ name: bytes, place: this.#placeOf(this.#places.next(text)) }))
      .filter(({ place }) => place !== other);
    for (const { name, place } of this.#named) {
      if (name.length === end - start && isAt(name, bytes, start)) return place;
    }
    return other;
  }
}

function isAt(name: Buffer, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}
