/**
 * What an agent says through its hooks: what the person has asked it for, which tool it is about to use, that the tool has
 * ended. Anything of the run can say it in its name: it is recorded as a claim, and decides nothing.
 */

export interface Claim {
  readonly event: 'prompt' | 'tool' | 'end';
  /** Which agent, by the name of its adapter: `claude-code`. */
  readonly agent: string;
  /** The agent's own session. */
  readonly session: string | undefined;
  /** The id of the tool call. */
  readonly call: string | undefined;
  readonly tool: string | undefined;
  /** The prompt, or what the tool is given. */
  readonly said: string;
  /** Of a tool that runs a shell command, that command. */
  readonly command: string | undefined;
}

/** Characters that are kept of a prompt or of a tool's input. */
export const longestSaid = 16 << 10;
const nameShape = /^[\w.:/@-]{1,100}$/;

/** One line of JSON, from anybody. Undefined where it is no claim. */
export function parseClaim(line: string): Claim | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { event, agent, session, call, tool, said, command } = value as Readonly<Record<string, unknown>>;
  if (event !== 'prompt' && event !== 'tool' && event !== 'end') return undefined;
  const by = nameOf(agent);
  if (by === undefined) return undefined;
  return {
    event,
    agent: by,
    session: nameOf(session),
    call: nameOf(call),
    tool: nameOf(tool),
    said: textOf(said) ?? '',
    command: textOf(command),
  };
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && nameShape.test(value) ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longestSaid) : undefined;
}
