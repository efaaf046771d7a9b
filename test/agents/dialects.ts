/**
 * What agents' CLIs speak to their providers, as far as a shell tool needs it: one turn is one command or the last
 * words, as server-sent events.
 */
import type { Move } from './model-api.js';

type Fields = Readonly<Record<string, unknown>>;

export interface Turn {
  /** For a client that does not stream. */
  readonly whole: Fields;
  readonly events: readonly Fields[];
}

export interface Dialect {
  readonly path: RegExp;
  streams(body: Fields, url: string): boolean;
  /** What came of the commands so far; undefined for a request without a shell. */
  results(body: Fields): readonly string[] | undefined;
  turn(move: Move, number: number, body: Fields): Turn;
}

/** Messages API: Claude Code, opencode. */
const messages: Dialect = {
  path: /\/v1\/messages(?!\/count_tokens)/,
  streams: (body) => body.stream === true,
  results: (body) => {
    if (shellOf(body) === undefined) return undefined;
    return list(body.messages)
      .flatMap(({ content }) => list(content))
      .filter(({ type }) => type === 'tool_result')
      .map(({ content }) => (typeof content === 'string' ? content : list(content).map(textOf).join('\n')));
  },
  turn: (move, number, body) => {
    const block: Fields =
      'run' in move
        ? {
            type: 'tool_use',
            id: `toolu_${number}`,
            name: shellOf(body),
            input: { command: move.run, description: 'as told' },
          }
        : { type: 'text', text: move.say };
    const stop = { stop_reason: 'run' in move ? 'tool_use' : 'end_turn', stop_sequence: null };
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: `msg_${number}`, type: 'message', role: 'assistant', model: 'scripted', usage };
    const [empty, delta] =
      'run' in move
        ? [
            { ...block, input: {} },
            { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
          ]
        : [
            { ...block, text: '' },
            { type: 'text_delta', text: move.say },
          ];
    return {
      whole: { ...message, ...stop, content: [block] },
      events: [
        { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, content: [] } },
        { type: 'content_block_start', index: 0, content_block: empty },
        { type: 'content_block_delta', index: 0, delta },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: stop, usage: { output_tokens: 1 } },
        { type: 'message_stop' },
      ],
    };
  },
};

/** Claude Code says Bash, opencode says bash. */
function shellOf({ tools }: Fields): unknown {
  return list(tools).find(({ name }) => /^bash$/i.test(String(name)))?.name;
}

/** Responses API: Codex. */
const responses: Dialect = {
  path: /\/v1\/responses/,
  streams: () => true,
  results: (body) =>
    list(body.input)
      .filter(({ type }) => type === 'function_call_output')
      .map(({ output }) => String(output)),
  turn: (move, number) => {
    const item: Fields =
      'run' in move
        ? {
            type: 'function_call',
            id: `fc_${number}`,
            call_id: `call_${number}`,
            name: 'exec_command',
            // it hands back what a command has said so far, and would have to be asked for the rest
            arguments: JSON.stringify({ cmd: move.run, yield_time_ms: 30_000 }),
          }
        : { type: 'message', id: 'msg', role: 'assistant', content: [{ type: 'output_text', text: move.say }] };
    const response = { id: `resp_${number}`, output: [item] };
    const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
    return {
      whole: response,
      events: [
        { type: 'response.created', response: { id: response.id } },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { ...response, usage } },
      ],
    };
  },
};

/** generateContent: Gemini CLI. */
const generateContent: Dialect = {
  path: /:(stream)?generateContent/i,
  streams: (_body, url) => url.includes('stream'),
  results: (body) => {
    if (!JSON.stringify(body.tools ?? '').includes('"run_shell_command"')) return undefined;
    return list(body.contents)
      .flatMap(({ parts }) => list(parts))
      .flatMap(({ functionResponse }) => (functionResponse ? [functionResponse as Fields] : []))
      .map(({ response }) => String((response as Fields).output));
  },
  turn: (move) => {
    const part: Fields =
      'run' in move
        ? { functionCall: { name: 'run_shell_command', args: { command: move.run, description: 'as told' } } }
        : { text: move.say };
    const candidate = { content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 };
    const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 };
    const whole = { candidates: [candidate], usageMetadata, modelVersion: 'scripted' };
    return { whole, events: [whole] };
  },
};

export const dialects: readonly Dialect[] = [messages, responses, generateContent];

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function textOf({ text }: Fields): string {
  return typeof text === 'string' ? text : '';
}
