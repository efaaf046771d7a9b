/**
 * What agents hand their hooks, as one claim. Claude Code and Codex share names and fields; Gemini CLI has names of its own;
 * opencode's plugin (opencode-plugin.ts) speaks as Claude Code does.
 *
 * Claude Code: `UserPromptSubmit` {session_id, prompt}, `PreToolUse` {session_id, tool_name, tool_input, tool_use_id},
 * `PostToolUse` and `PostToolUseFailure` the same. Gemini CLI: `BeforeAgent` {session_id, prompt}, `BeforeTool` and `AfterTool`
 * {session_id, tool_name, tool_input}.
 */
import { type Claim, longestSaid } from '../../proxy/intent/claim.js';

const events: Readonly<Record<string, Claim['event']>> = {
  UserPromptSubmit: 'prompt',
  BeforeAgent: 'prompt',
  PreToolUse: 'tool',
  BeforeTool: 'tool',
  PostToolUse: 'end',
  PostToolUseFailure: 'end',
  AfterTool: 'end',
};

/** @param payload what the hook has on its stdin. Undefined where it says nothing that is recorded. */
export function claimOf(agent: string, payload: string): Claim | undefined {
  const fields = record(parsed(payload));
  const event = Object.hasOwn(events, String(fields.hook_event_name)) && events[String(fields.hook_event_name)];
  if (!event) return undefined;
  const input = record(fields.tool_input);
  const command = commandIn(input.command);
  const said = event === 'prompt' ? asked(fields.prompt) : (command ?? JSON.stringify(fields.tool_input ?? null));
  return {
    event,
    agent,
    session: text(fields.session_id),
    call: text(fields.tool_use_id),
    tool: text(fields.tool_name),
    said: (said ?? '').slice(0, longestSaid),
    command: event === 'tool' ? command?.slice(0, longestSaid) : undefined,
  };
}

/** Without what the start of its session has put before it: Gemini CLI does that in its print mode. */
function asked(prompt: unknown): string | undefined {
  return text(prompt)?.replace(/^<hook_context>[\s\S]*?<\/hook_context>\s*/, '');
}

/** A line for a shell, or its words. */
function commandIn(value: unknown): string | undefined {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value.join(' ');
  return text(value);
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
