/**
 * How each agent is told to run `dbguard hook` for one run: for a prompt, and around the tools that can reach a database. What they
 * hand it stands in run/hooks/claim-of.ts. A hook that fails or is late says nothing, and keeps no tool from running.
 */
import { hookVariable } from '../environment.js';
import type { JsonObject } from './json-settings.js';

/** Seconds, in Claude Code. */
const patience = 10;

/** Of Claude Code, in its settings. @param hook the command without the agent's name */
export function claudeHooks(hook: string | undefined): JsonObject {
  if (hook === undefined) return {};
  const hooks = [{ type: 'command', command: `${hook} claude-code`, timeout: patience }];
  const tools = [{ matcher: 'Bash|PowerShell|Monitor|mcp__.*', hooks }];
  return {
    hooks: { UserPromptSubmit: [{ hooks }], PreToolUse: tools, PostToolUse: tools, PostToolUseFailure: tools },
  };
}

/** Of Gemini CLI, in its settings: milliseconds there. */
export function geminiHooks(hook: string | undefined): JsonObject {
  if (hook === undefined) return {};
  const hooks = [{ name: 'dbguard', type: 'command', command: `${hook} gemini`, timeout: patience * 1000 }];
  const tools = [{ matcher: 'run_shell_command|mcp_.*', hooks }];
  return { hooks: { BeforeAgent: [{ matcher: '*', hooks }], BeforeTool: tools, AfterTool: tools } };
}

/**
 * Of Gemini CLI, what its session begins with. Rejected: a folder with a GEMINI.md beside the project: it asks the person whether to
 * trust that, in every run.
 *
 * @param path of a file with `geminiContext`
 */
export function geminiInstructions(path: string): JsonObject {
  const command = `cat '${path.replaceAll("'", "'\\''")}'`;
  return { hooks: { SessionStart: [{ hooks: [{ name: 'dbguard', type: 'command', command }] }] } };
}

/** The answer of that hook. */
export function geminiContext(instructions: string): string {
  return JSON.stringify({
    hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext: instructions },
  });
}

/** Of opencode, a plugin: it runs in the agent itself, and speaks to the run's socket without another process. */
export const opencodePlugin = `import { connect } from 'node:net';

const path = process.env.${hookVariable};

function say(claim) {
  if (!path) return Promise.resolve();
  return new Promise((resolve) => {
    const line = JSON.stringify({ agent: 'opencode', ...claim }) + '\\n';
    const socket = connect(path, () => socket.write(line));
    const timer = setTimeout(() => socket.destroy(), 3000);
    socket.on('data', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export const DbguardHooks = async () => ({
  'chat.message': async ({ sessionID }, { parts }) => {
    const said = parts.filter((part) => part.type === 'text' && !part.synthetic).map((part) => part.text);
    await say({ event: 'prompt', session: sessionID, said: said.join('\\n').slice(0, 16384) });
  },
  'tool.execute.before': async ({ tool, sessionID, callID }, { args }) => {
    const command = typeof args?.command === 'string' ? args.command.slice(0, 16384) : undefined;
    const said = command ?? JSON.stringify(args ?? null).slice(0, 16384);
    await say({ event: 'tool', session: sessionID, call: callID, tool, said, command });
  },
  'tool.execute.after': async ({ sessionID, callID }) => {
    await say({ event: 'end', session: sessionID, call: callID, said: '' });
  },
});
`;
