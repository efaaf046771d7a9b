/**
 * TOML (toml.io, version 1.0) as far as settings need it: tables, arrays of tables, dotted keys, strings of all four kinds, arrays,
 * inline tables. Numbers, dates and truth values stay as they are written.
 */
import type { JsonObject } from './json-settings.js';

type Table = Record<string, unknown>;

/** Undefined for what cannot be read. */
export function readToml(text: string): JsonObject | undefined {
  try {
    return new Reader(text).document();
  } catch {
    return undefined;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/\r\n/g, '\n');
  }

  document(): Table {
    const root: Table = Object.create(null);
    let table = root;
    for (;;) {
      this.#blank(true);
      if (this.#at >= this.#text.length) return root;
      if (this.#take('[[')) {
        const keys = this.#keys(']]');
        const last = keys.pop() ?? '';
        const above = descend(root, keys);
        const list = above[last] ?? [];
        if (!Array.isArray(list)) throw new Error(last);
        table = Object.create(null);
        above[last] = [...list, table];
      } else if (this.#take('[')) table = descend(root, this.#keys(']'));
      else this.#pair(table);
    }
  }

  #pair(table: Table): void {
    const keys = this.#keys('=');
    const last = keys.pop() ?? '';
    this.#blank(false);
    descend(table, keys)[last] = this.#value();
  }

  #keys(end: string): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#blank(false);
      const quote = this.#text[this.#at];
      if (quote === '"' || quote === "'") keys.push(String(this.#value()));
      else keys.push(this.#match(/[A-Za-z0-9_-]+/y));
      this.#blank(false);
      if (this.#take(end)) return keys;
      if (!this.#take('.')) throw new Error('key');
    }
  }

  #value(): unknown {
    if (this.#take('"""')) return escaped(this.#until(/((?:[^\\]|\\[\s\S])*?)"""(?!")/y).replace(/^\n/, ''));
    if (this.#take("'''")) return this.#until(/([\s\S]*?)'''(?!')/y).replace(/^\n/, '');
    if (this.#take('"')) return escaped(this.#until(/((?:[^"\\\n]|\\[^\n])*)"/y));
    if (this.#take("'")) return this.#until(/([^'\n]*)'/y);
    if (this.#take('[')) {
      const list: unknown[] = [];
      for (;;) {
        this.#blank(true);
        if (this.#take(']')) return list;
        list.push(this.#value());
        this.#blank(true);
        if (!this.#take(',') && this.#text[this.#at] !== ']') throw new Error('list');
      }
    }
    if (this.#take('{')) {
      const table: Table = Object.create(null);
      for (;;) {
        this.#blank(true);
        if (this.#take('}')) return table;
        this.#pair(table);
        this.#blank(true);
        if (!this.#take(',') && this.#text[this.#at] !== '}') throw new Error('table');
      }
    }
    return this.#match(/[^\s,\]}#][^\n,\]}#]*/y).trim();
  }

  /** Blanks and comments; ends of lines too, where `lines`. */
  #blank(lines: boolean): void {
    const pattern = lines ? /(?:\s|#[^\n]*)*/y : /[ \t]*/y;
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (!found) throw new Error(`at ${this.#at}`);
    this.#at += found.length;
    return found;
  }

  #until(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) throw new Error(`at ${this.#at}`);
    this.#at += match[0].length;
    return match[1] ?? '';
  }
}

function descend(table: Table, keys: readonly string[]): Table {
  let at = table;
  for (const key of keys) {
    const next = at[key] ?? Object.create(null);
    at[key] = next;
    const inner = Array.isArray(next) ? next.at(-1) : next;
    if (typeof inner !== 'object' || inner === null) throw new Error(key);
    at = inner as Table;
  }
  return at;
}

const short: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b' };

function escaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[ \t]*\n\s*|([\s\S]))/g, (_, four, eight, one) => {
    if (four !== undefined || eight !== undefined) return String.fromCodePoint(Number.parseInt(four ?? eight, 16));
    return one === undefined ? '' : (short[one] ?? one);
  });
}
