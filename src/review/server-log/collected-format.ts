/**
 * The server's text behind what a collector puts before each line: `docker compose logs`, `docker logs -t`,
 * `kubectl logs --timestamps`, and the files of container runtimes (CRI). No client can begin a line, so it is no client's.
 */
import type { LinePrefix } from './line-prefix.js';
import type { Entry, LogFormat, LogRecord } from './log-format.js';
import { TextFormat } from './text-format.js';

/** `db-1  | `, then `2026-11-29T03:00:01.123456789Z `, then `stderr F `: one of the first two at least. */
const head =
  /^(?=\S+ +\| |\d{4}-\d\d-\d\dT)(?:\S+ +\| )?(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) )?(?:(?:stdout|stderr) [FP] )?/;

export class CollectedFormat implements LogFormat {
  readonly name: string;
  readonly prefix: LinePrefix;
  readonly #inner: TextFormat;

  constructor(prefix: LinePrefix) {
    this.prefix = prefix;
    this.#inner = new TextFormat(prefix);
    this.name = `${this.#inner.name}, collected`;
  }

  entries(line: string): readonly Entry[] {
    const [found] = head.exec(line) ?? [];
    if (found === undefined) return line === '' ? [] : [{ text: line }];
    return this.#inner.entries(line.slice(found.length));
  }

  end(): readonly Entry[] {
    return this.#inner.end();
  }

  read(entry: Entry): readonly LogRecord[] {
    return this.#inner.read(entry);
  }
}
