/** `dbguard mcp`: an MCP server on stdin and stdout, in front of the same gate as `dbguard proxy`. Ends when stdin does. */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import { findStarters } from '../../io/approvals/process-tree.js';
import { approvalsSocketSupported } from '../../io/approvals/socket.js';
import { onEnding } from '../../io/terminal/signals.js';
import { sessionMarker } from '../../run/run-mark.js';
import { createAnalyser } from '../../sql/analyser.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import type { CommandContext } from '../command.js';
import { openApprovals } from '../guard/approvals-desk.js';
import { type Guard, openGuard } from '../guard/guard.js';
import { guardFlags } from '../guard/guard-options.js';
import { banner, finishGuard, TroubleReport } from '../guard/session-words.js';
import { type Judged, withJudge } from '../judge/judging.js';
import { sender, urlOf, urlOfRun } from '../mcp/guarded-database.js';
import { serve } from '../mcp/server.js';
import { type GuardedDatabase, guardedTools } from '../mcp/tools-run.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';

/** Statements under way when the client leaves get this long, milliseconds. */
const graceMs = 1000;

/** Told to the model where nobody can ever answer. */
const nobodyAnswers = 'Nobody can be asked here. Tell the person you work for what you want to run and why.';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'mcp'>,
): Promise<number> {
  const holdMs = holdOf(textOption(options, 'hold'));
  const left = new AbortController();
  onEnding(
    () => left.abort(),
    () => left.abort(),
  );
  const url = urlOfRun(context.env);
  if (url !== undefined) return serveInside(context, url, holdMs, left.signal);
  if (context.stdin.isTTY) {
    context.stderr.write(
      'dbguard: this speaks MCP to the program that starts it; for Claude Code: claude mcp add dbguard -- dbguard mcp\n',
    );
  }
  const trouble = new TroubleReport(context.stderr);
  const unattended = approvalsSocketSupported ? 'wait' : 'deny';
  const agents = approvalsSocketSupported ? await findStarters() : new Set<number>();
  const approvals = await openApprovals(context.env, { unattended, howToApprove: nobodyAnswers, agents });
  const open = async (): Promise<Guard> => {
    const guard = await openGuard(context, {
      ...guardFlags(options),
      agent,
      listen: { host: '127.0.0.1', port: 0 },
      password: randomBytes(24).toString('base64url'),
      asker: approvals.asker,
      endSession: () => left.abort(),
      onTrouble: (error) => trouble.report(error),
    });
    const { sid, subject, connection } = guard;
    await approvals.listen({ sid, agent, subject, connection }, guard.windows);
    context.stderr.write(banner(guard, context.stderr));
    context.stderr.write('dbguard: answer its prompts with "dbguard approvals" in another terminal\n');
    return guard;
  };
  const opened = new Opened(open);
  // a client that starts its servers early finds it open
  void opened.guard().catch(trouble.report.bind(trouble));
  const tools = guardedTools(guardedBy(context, options, opened), holdMs);
  try {
    await served(context, tools, left.signal);
  } finally {
    tools.leave();
  }
  const guard = await opened.last();
  const finished = guard && (await finishGuard(context, guard, approvals, graceMs));
  approvals.close();
  return finished?.failed ?? (finished?.complete === false ? 1 : 0);
}

const agent = 'dbguard mcp';

/** Seconds; below the minute after which most clients give a call up. */
const longestHold = 20;

function holdOf(text: string | undefined): number {
  const seconds = Number(text ?? longestHold);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestHold) return seconds * 1000;
  throw new DbguardError('usage', `--hold takes whole seconds, 1 to ${longestHold}`, {
    hint: 'A statement that waits longer is not lost: its ticket asks again.',
  });
}

/** A guard that could not be opened (no login, no network) is opened anew by the next call: the person may have seen to it. */
class Opened {
  readonly #open: () => Promise<Guard>;
  #guard: Promise<Guard> | undefined;

  constructor(open: () => Promise<Guard>) {
    this.#open = open;
  }

  guard(): Promise<Guard> {
    this.#guard ??= this.#open().catch((error) => {
      this.#guard = undefined;
      throw error;
    });
    return this.#guard;
  }

  last(): Promise<Guard | undefined> {
    return this.#guard?.catch(() => undefined) ?? Promise.resolve(undefined);
  }
}

async function countStatements(sql: string): Promise<number | undefined> {
  const analyser = await createAnalyser({ grammar: await loadGrammar() });
  const { unparseable, statements } = analyser.analyse(sql);
  return unparseable ? undefined : statements.length;
}

function guardedBy(context: CommandContext, options: OptionsOf<'mcp'>, opened: Opened): GuardedDatabase {
  return {
    count: countStatements,
    send: sender(async () => urlOf((await opened.guard()).address)),
    async judge(sql): Promise<Judged> {
      const { connection, subject } = await opened.guard();
      return withJudge(context, { ...options, connection, subject, agent }, async (judge) => judge.judge(sql));
    },
    async about() {
      const { sid, subject, connection, address } = await opened.guard();
      return { person: subject, connection, database: address.database, user: address.user, session: sid };
    },
  };
}

/** Below `dbguard run` there is a guard, with a person at its terminal: a second one would ask them twice. */
async function serveInside(context: CommandContext, url: string, holdMs: number, left: AbortSignal): Promise<number> {
  const { pathname, username } = new URL(url);
  const database: GuardedDatabase = {
    count: countStatements,
    send: sender(async () => url),
    judge: async () => undefined,
    about: async () => ({
      database: decodeURIComponent(pathname.slice(1)),
      user: decodeURIComponent(username),
      session: context.env[sessionMarker],
    }),
  };
  const tools = guardedTools(database, holdMs);
  try {
    await served(context, tools, left);
  } finally {
    tools.leave();
  }
  return 0;
}

async function served(
  context: CommandContext,
  { query, explain, status }: ReturnType<typeof guardedTools>,
  left: AbortSignal,
): Promise<void> {
  const over = new Promise<void>((resolve) => {
    left.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([serve(context, { query, explain, status }), over]);
  // what still comes is not read
  context.stdin.destroy();
}
