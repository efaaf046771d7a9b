import { inspect } from 'node:util';

const placeholder = '[secret]';

/** A password or token. Prints as `[secret]` wherever it ends up by mistake: templates, JSON, console, error causes. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it where the bytes go out, keep the result in no object. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): string {
    return placeholder;
  }

  [inspect.custom](): string {
    return placeholder;
  }
}
