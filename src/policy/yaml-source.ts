/**
 * A YAML file read strictly: every value knows its place, every problem is collected with file, line, column, key
 * path and what was expected. What must live here: positions and problems. What it must not know: what the keys mean.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { printable } from '../untrusted-text.js';
import type { Standing } from './config-keys.js';
import { didYouMean } from './did-you-mean.js';

/** 1-based, as editors count. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly place: Place;
  /** `policy.rules[2].then`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A known key that the file has, whatever its value is worth. */
export interface FoundKey {
  /** Path of the mapping that it stands in: `connections.main`; empty for the file itself. */
  readonly section: string;
  readonly key: string;
  readonly place: Place;
  readonly standing: Standing;
  /** Its value as JSON with sorted keys: equal where the same is said, however it is written. May be secret. */
  readonly said: string;
}

export function problemText(problem: Problem): string {
  const { file, line, column } = problem.place;
  // names of the file's writer: nothing that a terminal would obey, nothing that cannot be seen
  const path = printable(problem.path);
  return `${file}:${line}:${column}: ${path ? `${path}: ` : ''}${problem.message}`;
}

/** Thrown by a reader at the first thing wrong with its value; caught by the container, so that siblings are still read. */
class BadValue extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** More than any policy needs; an agent may write the file. */
const maxBytes = 1024 * 1024;

/** Reads `text` with `read`. The value is undefined when there is any problem: broken files are not half-used. */
export function readYaml<T>(
  text: string,
  file: string,
  read: (root: Value) => T,
): { readonly value?: T; readonly problems: readonly Problem[] } {
  const start: Place = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > maxBytes) {
    return { problems: [{ place: start, path: '', message: 'the file is larger than 1 MiB' }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', merge: false, prettyErrors: false });
  if (document.errors.length > 0 || document.warnings.length > 0) {
    const problems = [...document.errors, ...document.warnings].map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { place: { file, line, column: col }, path: '', message: `not valid YAML: ${firstLine(error.message)}` };
    });
    return { problems };
  }
  const source: Source = { file, lines, problems: [], keys: [] };
  try {
    const value = read(new YamlValue(source, document.contents, '', start));
    if (source.problems.length === 0) return { value, problems: [] };
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    source.problems.push(error.problem);
  }
  source.problems.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  return { problems: source.problems };
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
  readonly problems: Problem[];
  readonly keys: FoundKey[];
}

/** A value of the file as the readers see it. What they ask of it is also what the JSON schema is made from (schema.ts). */
export interface Value {
  readonly path: string;
  readonly place: Place;
  readonly isNull: boolean;
  readonly isString: boolean;
  readonly isMapping: boolean;
  readonly isList: boolean;
  /** Every known key read so far, of the whole file. */
  readonly foundKeys: readonly FoundKey[];
  /** Reports the problem and gives up on this value. The message must not repeat a value that could be a secret. */
  fail(message: string): never;
  /** `expected` as in "expected a duration such as 60s". Says what kind of thing stands there instead, never the text. */
  expected(expected: string): never;
  string(expected?: string): string;
  boolean(): boolean;
  integer(min: number, max: number): number;
  /** A number as it was written, of any size. */
  numberText(): string;
  oneOf<const T extends string>(words: readonly T[]): T;
  /** @param empty what to say where it has no item; undefined: it may have none */
  list<T>(read: (item: Value) => T, empty?: string): T[];
  /** One value, or a list of them. */
  oneOrMore<T>(read: (item: Value) => T): T[];
  /** A mapping whose keys are names that the user chose. */
  record<T>(read: (item: Value, name: string) => T): Map<string, T>;
  /** A mapping with the keys of one table (config-keys.ts); every other key is a problem. */
  fields<K extends string>(table: Readonly<Record<K, Standing>>): Fields<K>;
}

class YamlValue implements Value {
  readonly #source: Source;
  readonly #node: Node | null;
  readonly path: string;
  readonly place: Place;

  constructor(source: Source, node: unknown, path: string, near: Place) {
    this.#source = source;
    this.#node = (node ?? null) as Node | null;
    this.path = path;
    const offset = this.#node?.range?.[0];
    if (offset === undefined) {
      this.place = near;
    } else {
      const { line, col } = source.lines.linePos(offset);
      this.place = { file: source.file, line, column: col };
    }
    // Aliases let a small file stand for an endless one, tags let it stand for something else.
    if (isAlias(this.#node)) this.fail('anchors and aliases are not supported; write the value out');
    if (this.#node?.tag !== undefined && !this.#node.tag.startsWith('tag:yaml.org,2002:')) {
      this.fail('tags are not supported');
    }
  }

  get isNull(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null);
  }

  get isString(): boolean {
    return isScalar(this.#node) && typeof this.#node.value === 'string';
  }

  get isMapping(): boolean {
    return isMap(this.#node);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  get foundKeys(): readonly FoundKey[] {
    return this.#source.keys;
  }

  fail(message: string): never {
    throw new BadValue({ place: this.place, path: this.path, message });
  }

  expected(expected: string): never {
    return this.fail(`expected ${expected}, found ${this.#kind()}`);
  }

  #kind(): string {
    if (this.isNull) return 'nothing';
    if (isMap(this.#node)) return 'a mapping';
    if (isSeq(this.#node)) return 'a list';
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
    if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
    if (typeof value === 'boolean') return `${value}`;
    return 'something else';
  }

  string(expected = 'a text'): string {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value !== 'string' || value === '') return this.expected(expected);
    return value;
  }

  boolean(): boolean {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === 'boolean' ? value : this.expected('true or false');
  }

  integer(min: number, max: number): number {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    return fits ? value : this.expected(`a whole number from ${min} to ${max}`);
  }

  numberText(): string {
    const node = isScalar(this.#node) ? this.#node : undefined;
    const isNumber = typeof node?.value === 'number' || typeof node?.value === 'bigint';
    return isNumber ? (node?.source ?? String(node?.value)) : this.expected('a number');
  }

  oneOf<const T extends string>(words: readonly T[]): T {
    const text = this.isString ? this.string() : undefined;
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const guess = text === undefined ? undefined : didYouMean(text, words);
    const list = `expected one of ${words.join(', ')}`;
    if (text === undefined) return this.expected(`one of ${words.join(', ')}`);
    return this.fail(`${list}; "${shown(text)}" is not one${guess ? `. Did you mean "${guess}"?` : ''}`);
  }

  list<T>(read: (item: Value) => T, empty?: string): T[] {
    if (!isSeq(this.#node)) return this.expected('a list');
    const items = this.#node.items;
    if (items.length === 0 && empty !== undefined) this.fail(empty);
    return items.flatMap((item, index) => {
      const result = this.#attempt(() => read(new YamlValue(this.#source, item, `${this.path}[${index}]`, this.place)));
      return result === undefined ? [] : [result];
    });
  }

  oneOrMore<T>(read: (item: Value) => T): T[] {
    return this.isList ? this.list(read, 'the list is empty') : [read(this)];
  }

  record<T>(read: (item: Value, name: string) => T): Map<string, T> {
    const result = new Map<string, T>();
    for (const [name, item, key] of this.#pairs('a mapping of names')) {
      if (/\p{C}|^\s|\s$/u.test(name)) {
        const message = 'a name has no invisible characters and no blanks at its ends';
        this.#source.problems.push({ place: key.place, path: this.path, message });
        continue;
      }
      const value = this.#attempt(() => read(item(), name));
      if (value !== undefined) result.set(name, value);
    }
    return result;
  }

  fields<K extends string>(table: Readonly<Record<K, Standing>>): Fields<K> {
    const keys = Object.keys(table) as K[];
    const found = new Map<K, () => Value>();
    for (const [name, item, key, node] of this.#pairs(`a mapping with ${keys.join(', ')}`)) {
      const known = keys.find((one) => one === name);
      if (known !== undefined) {
        found.set(known, item);
        const said = JSON.stringify(plain(node));
        this.#source.keys.push({ section: this.path, key: known, place: key.place, standing: table[known], said });
      } else {
        const guess = didYouMean(name, keys);
        const hint = guess ? `Did you mean "${guess}"?` : `Known keys: ${keys.join(', ')}.`;
        const path = join(this.path, name);
        this.#source.problems.push({ place: key.place, path, message: `unknown key. ${hint}` });
      }
    }
    const attempt = <T>(read: () => T): T | undefined => this.#attempt(read);
    return {
      present: [...found.keys()],
      has: (key) => found.has(key),
      optional: (key, read) => {
        const item = found.get(key);
        return item && attempt(() => read(item()));
      },
      required: (key, read, example) => {
        const item = found.get(key);
        if (item !== undefined) return read(item());
        return this.fail(`the key "${key}" is missing${example ? ` (for example ${key}: ${example})` : ''}`);
      },
      exactlyOne: (one, message) => {
        if (one.filter((key) => found.has(key)).length !== 1) this.fail(message);
      },
      notBoth: (one, other) => {
        if (found.has(one) && found.has(other)) this.fail(`expected "${one}" or "${other}", not both`);
      },
      needs: (one, other, example) => {
        if (found.has(one) && !found.has(other))
          this.fail(`the key "${other}" is missing (for example ${other}: ${example})`);
      },
      notEmpty: (message) => {
        if (found.size === 0) this.fail(message);
      },
      without: (unwanted, message) => {
        const key = unwanted.find((one) => found.has(one));
        if (key !== undefined) this.fail(message(key));
      },
      cases: (key, words, read, example) => {
        const item = found.get(key);
        if (item === undefined) return this.fail(`the key "${key}" is missing (for example ${key}: ${example})`);
        const value = item();
        return read(words.find((word) => value.isNull && word === 'null') ?? value.oneOf(words));
      },
    };
  }

  #pairs(expected: string): [name: string, item: () => Value, key: Value, node: unknown][] {
    if (!isMap(this.#node)) return this.expected(expected);
    return this.#node.items.map((pair) => {
      const key = new YamlValue(this.#source, pair.key, this.path, this.place);
      const name = key.string('a name as key');
      const item = () => new YamlValue(this.#source, pair.value, join(this.path, name), key.place);
      return [name, item, key, pair.value];
    });
  }

  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      this.#source.problems.push(error.problem);
      return undefined;
    }
  }
}

export interface Fields<K extends string> {
  /** In the order of the file. */
  readonly present: readonly K[];
  has(key: K): boolean;
  /** Undefined where the key is absent, and where its value is wrong (which is then a problem of the file). */
  optional<T>(key: K, read: (value: Value) => T): T | undefined;
  required<T>(key: K, read: (value: Value) => T, example?: string): T;
  exactlyOne(keys: readonly K[], message: string): void;
  notBoth(one: K, other: K): void;
  /** `other` must be there where `one` is. */
  needs(one: K, other: K, example: string): void;
  notEmpty(message: string): void;
  /** None of `keys`. */
  without<One extends K>(keys: readonly One[], message: (key: One) => string): void;
  /** A required key whose word says which other keys there may be; YAML's null stands for the word `null`. */
  cases<const W extends string, T>(key: K, words: readonly W[], read: (word: W) => T, example: string): T;
}

/** What stands there, without marks, comments and order of keys. Whatever is no plain value is a problem when it is read. */
function plain(node: unknown): unknown {
  if (isScalar(node)) return typeof node.value === 'bigint' ? `${node.value}` : node.value;
  if (isSeq(node)) return node.items.map(plain);
  if (!isMap(node)) return null;
  const pairs = node.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', plain(value)] as const);
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Control characters of the file must not reach a terminal. */
function shown(text: string): string {
  return printable(text, 40);
}
