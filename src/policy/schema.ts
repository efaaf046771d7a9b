/**
 * The JSON schema (draft 2020-12) of dbguard.yaml, for editors: made by the readers of the file themselves, which are shown one
 * value of each kind and say what they ask of it. Nothing of it is written twice.
 *
 * It refuses nothing that the readers take. What they find in a text (a duration, a pattern, an address) and between
 * far places (two rules of one name) it lets through: "dbguard policy lint" says that.
 */
import { readConfig } from './config.js';
import type { Standing } from './config-keys.js';
import type { Fields, FoundKey, Place, Value } from './yaml-source.js';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export function configSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'dbguard.yaml',
    description: 'dbguard help configuration explains every key',
    ...(tidy(schemaOf((value) => readConfig(value, '', '', ''))) as JsonSchema),
  };
}

/** An empty list of rules is no schema. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([name, one]) => !(['required', 'allOf'].includes(name) && Array.isArray(one) && one.length === 0),
  );
  return Object.fromEntries(kept.map(([name, one]) => [name, tidy(one)]));
}

const kinds = ['null', 'true', 'false', 'string', 'number', 'list', 'mapping'] as const;
type Kind = (typeof kinds)[number];
/** Of these there is one value: what a reader says of it is the last word. */
const whole: Readonly<Partial<Record<Kind, JsonSchema>>> = {
  null: { type: 'null' },
  true: { const: true },
  false: { const: false },
};

function schemaOf(read: (value: Value) => unknown): JsonSchema {
  const accepted = kinds.flatMap((kind) => {
    const { taken, asked } = shown(kind, read);
    const constant = whole[kind];
    if (constant !== undefined) return taken ? [constant] : [];
    // a text that stands for all of its kind may well be refused for what it says
    return asked === undefined ? [] : [asked];
  });
  const [only] = accepted;
  return accepted.length === 1 && only !== undefined ? only : { anyOf: accepted };
}

interface Shown {
  readonly taken: boolean;
  /** What the reader gave back. */
  readonly result: unknown;
  readonly asked: JsonSchema | undefined;
}

function shown(kind: Kind, read: (value: Value) => unknown): Shown {
  const probe = new Probe(kind);
  try {
    const result = read(probe);
    return { taken: true, result, asked: probe.asked };
  } catch {
    // refused, or not made for a value that stands for others
    return { taken: false, result: undefined, asked: probe.asked };
  }
}

class Refused extends Error {}

class Probe implements Value {
  asked: JsonSchema | undefined;
  readonly path = '';
  readonly place: Place = { file: '', line: 0, column: 0 };
  readonly foundKeys: readonly FoundKey[] = [];
  readonly #kind: Kind;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get isNull(): boolean {
    return this.#kind === 'null';
  }

  get isString(): boolean {
    return this.#kind === 'string';
  }

  get isMapping(): boolean {
    return this.#kind === 'mapping';
  }

  get isList(): boolean {
    return this.#kind === 'list';
  }

  fail(message: string): never {
    throw new Refused(message);
  }

  expected(expected: string): never {
    throw new Refused(expected);
  }

  string(expected?: string): string {
    this.#ask('string', { type: 'string', minLength: 1, ...(expected === undefined ? {} : { description: expected }) });
    return 'x';
  }

  boolean(): boolean {
    if (this.#kind !== 'true' && this.#kind !== 'false') this.fail('');
    return this.#kind === 'true';
  }

  integer(minimum: number, maximum: number): number {
    this.#ask('number', { type: 'integer', minimum, maximum });
    return minimum;
  }

  numberText(): string {
    this.#ask('number', { type: 'number' });
    return '1';
  }

  oneOf<const T extends string>(words: readonly T[]): T {
    this.#ask('string', { enum: words });
    return words[0] ?? this.fail('');
  }

  list<T>(read: (item: Value) => T, empty?: string): T[] {
    this.#ask('list', { type: 'array', items: schemaOf(read), ...(empty === undefined ? {} : { minItems: 1 }) });
    return [];
  }

  oneOrMore<T>(read: (item: Value) => T): T[] {
    return this.isList ? this.list(read, 'at least one') : [read(this)];
  }

  record<T>(read: (item: Value, name: string) => T): Map<string, T> {
    this.#ask('mapping', { type: 'object', additionalProperties: schemaOf((item) => read(item, 'name')) });
    return new Map();
  }

  fields<K extends string>(table: Readonly<Record<K, Standing>>): Fields<K> {
    const mapping = new MappingSchema(Object.keys(table));
    // it grows while the reader goes on
    this.#ask('mapping', mapping.schema);
    return mapping.fields as Fields<K>;
  }

  #ask(kind: Kind, asked: JsonSchema): void {
    if (this.#kind !== kind) this.fail('');
    this.asked = asked;
  }
}

/** A reader that asks for a key tells its schema; whether the key is there it is told is not so. */
class MappingSchema {
  readonly schema: Record<string, unknown>;
  #properties: Record<string, JsonSchema | boolean>;
  #required: string[] = [];
  #rules: JsonSchema[] = [];

  constructor(keys: readonly string[]) {
    this.#properties = Object.fromEntries(keys.map((key) => [key, true]));
    this.schema = { type: 'object', additionalProperties: false };
    this.#write(this.schema);
  }

  get fields(): Fields<string> {
    const demand = (keys: readonly string[]): void => {
      if (keys.length === 1) this.#required.push(...keys);
      else this.#rules.push({ oneOf: keys.map((key) => ({ required: [key] })) });
    };
    return {
      present: [],
      has: () => false,
      optional: (key, read) => {
        this.#properties[key] = schemaOf(read);
        return undefined;
      },
      required: (key, read) => {
        this.#properties[key] = schemaOf(read);
        demand([key]);
        const found = kinds.map((kind) => shown(kind, read)).find(({ taken }) => taken);
        return found?.result as ReturnType<typeof read>;
      },
      exactlyOne: demand,
      notBoth: (one, other) => void this.#rules.push({ not: { required: [one, other] } }),
      needs: (one, other) => void this.#rules.push({ dependentRequired: { [one]: [other] } }),
      notEmpty: () => void this.#rules.push({ minProperties: 1 }),
      without: (keys) => {
        for (const key of keys) delete this.#properties[key];
      },
      cases: (key, words, read) => this.#cases(key, words, read),
    };
  }

  /** Each word has the keys that its own reader asks for, beside those of before. */
  #cases<W extends string, T>(key: string, words: readonly W[], read: (word: W) => T): T {
    const before = { properties: this.#properties, required: [...this.#required, key], rules: this.#rules };
    let result: T | undefined;
    const variants = words.map((word) => {
      this.#properties = { ...before.properties, [key]: { enum: word === 'null' ? [word, null] : [word] } };
      this.#required = [...before.required];
      this.#rules = [...before.rules];
      try {
        const made = read(word);
        result ??= made;
      } catch {
        // what it asked for stands
      }
      const schema = { type: 'object', additionalProperties: false };
      this.#write(schema);
      return schema;
    });
    for (const name of Object.keys(this.schema)) delete this.schema[name];
    this.schema.oneOf = variants;
    return result as T;
  }

  #write(schema: Record<string, unknown>): void {
    Object.assign(schema, { properties: this.#properties, required: this.#required, allOf: this.#rules });
  }
}
