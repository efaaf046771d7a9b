/**
 * What no single entry of a log says, and would be passed over in silence: the server speaks another language, nothing of
 * the log could be read, or the server does not write the lines that count. One entry stands for all of them.
 */
import type { Entry, LogFormat } from './log-format.js';
import { type LogEvent, mayHoldEvent } from './message.js';
import { isOfUnknownLanguage, isReceived, mayBeOfUnknownLanguage } from './unknown-language.js';

export interface Doubt {
  readonly why: 'language' | 'log' | 'setting';
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** PostgreSQL 14 and later; who was let in, and as whom, is said by `connection authorized` alone. */
const letIn = /connection (?:authenticated: |ready: setup )/;

export class LogDoubts {
  readonly #format: LogFormat;
  #readAny = false;
  #first: Omit<Doubt, 'why'> | undefined;
  #language = false;
  #letIn: Omit<Doubt, 'why'> | undefined;
  #connections = false;
  /** The language is one that we know. */
  #known = false;

  constructor(format: LogFormat) {
    this.#format = format;
  }

  entry(entry: Entry, line: number): Doubt[] {
    const { text } = entry;
    this.#first ??= { line, text };
    // what may be an event is judged by itself
    if (!this.#readAny) this.#readAny = mayHoldEvent(text) || this.#format.read(entry).length > 0;
    if (mayHoldEvent(text)) return [];
    if (this.#letIn === undefined && letIn.test(text) && this.#says(entry, (message) => message.search(letIn) === 0))
      this.#letIn = { line, text };
    if (this.#language || !mayBeOfUnknownLanguage(text)) return [];
    this.#known ||= this.#says(entry, isReceived);
    if (!this.#format.read(entry).some((record) => isOfUnknownLanguage(record, this.#known))) return [];
    this.#language = true;
    return [{ why: 'language', line, text }];
  }

  event({ kind }: LogEvent): void {
    if (kind === 'connection') this.#connections = this.#known = true;
  }

  /** After the last entry. */
  end(): Doubt[] {
    if (!this.#readAny && this.#first) return [{ why: 'log', ...this.#first }];
    if (!this.#connections && this.#letIn) return [{ why: 'setting', ...this.#letIn }];
    return [];
  }

  /** As a message of the server's, and not in a text that a client chose. */
  #says(entry: Entry, what: (message: string) => boolean): boolean {
    return this.#format.read(entry).some(({ message }) => message !== undefined && what(message));
  }
}
