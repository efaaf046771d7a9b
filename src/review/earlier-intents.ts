/** What agents have said, for the statements that name it: kept while a session is read in order, in bounded memory. */
import type { Entry } from '../transcript/entry.js';

/** Of one `intent` entry, and of the prompt before it. All of it is the agent's claim. */
export interface MeantIntent {
  readonly n: number;
  readonly agent: string;
  /** The tool's name, and the id of its call; undefined where the statement follows a prompt alone. */
  readonly tool?: string | undefined;
  readonly call?: string | undefined;
  /** What the tool was given. Undefined where there was no call, or it was taken out. */
  readonly given?: string | undefined;
  /** The prompt. Undefined where there was none, or it was taken out. */
  readonly asked?: string | undefined;
  /** See FORMAT.md: why the statement is taken to come from it; undefined of the intent itself. */
  readonly fit?: string | undefined;
}

type Disclosed = Readonly<Record<string, unknown>>;

/** Statements come from what was said lately. */
const KEPT = 4096;
/** Characters of each text. */
const LONGEST = 4096;

export class EarlierIntents {
  readonly #said = new Map<number, MeantIntent>();

  keep({ n, fields }: Entry, { said }: Disclosed): MeantIntent {
    const { agent, tool, call, prompt, event } = fields;
    const text = typeof said === 'string' ? said.slice(0, LONGEST) : undefined;
    const intent: MeantIntent = {
      n,
      agent: String(agent ?? ''),
      ...(event === 'prompt'
        ? { asked: text }
        : { tool: word(tool), call: word(call), given: text, asked: this.#said.get(Number(prompt))?.asked }),
    };
    this.#said.set(n, intent);
    for (const [oldest] of this.#said) {
      if (this.#said.size <= KEPT) break;
      this.#said.delete(oldest);
    }
    return intent;
  }

  /** Of a statement. */
  of({ intent, fit }: Disclosed): MeantIntent | undefined {
    const said = typeof intent === 'number' ? this.#said.get(intent) : undefined;
    return said && { ...said, fit: word(fit) };
  }
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
