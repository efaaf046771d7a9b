/** `dbguard approvals --team --follow` on a terminal: puts one request of the team after the other to the person. */
import type { ApprovalsClock } from '../../approval/approvals.js';
import type { PromptMark } from '../../approval/prompt-mark.js';
import type { Team, TeamRequest } from '../../approval/second-person/team.js';
import { messageOf } from '../../errors.js';
import type { OuterTerminal } from '../../run/terminal-ports.js';
import { AloneSurface } from '../../ui/alone-surface.js';
import { loadPromptTools, runPrompt } from '../../ui/prompt-screen.js';
import { folded } from '../print/text.js';
import { outcome } from './team-list.js';

const lookMs = 3000;

/** Resolves when the person leaves with q or Ctrl-C. */
export async function followTeam(
  team: Team,
  terminal: OuterTerminal,
  clock: ApprovalsClock,
  how: {
    readonly bell: boolean;
    readonly colours: boolean;
    readonly ascii: boolean;
    readonly mark: PromptMark | undefined;
  },
): Promise<number> {
  let over = false;
  let wake: () => void = () => undefined;
  const surface = new AloneSurface(terminal, how.bell, (bytes) => {
    if (!bytes.includes(0x03) && bytes.toString() !== 'q') return;
    over = true;
    wake();
  });
  const say = (line: string): void => {
    const rows = folded(line, { isTTY: true, columns: terminal.size.columns }, 2);
    terminal.write(`${rows.replaceAll('\n', '\r\n')}\r\n`);
  };
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      clock.after(lookMs, resolve);
    });
  const tools = await loadPromptTools();
  const seen = new Set<string>();
  let trouble: string | undefined;
  say('Watching your team. Statements that need a second person come up here. q leaves.');
  while (!over) {
    const open = await team.waiting().catch((error: unknown) => {
      if (messageOf(error) !== trouble) say(messageOf(error));
      trouble = messageOf(error);
      return [];
    });
    const next = open.find((request) => !request.answered && isNeeded(request) && !seen.has(request.id));
    if (next === undefined) {
      await pause();
      continue;
    }
    seen.add(next.id);
    if (next.obstacle !== undefined) {
      say(`${next.id.slice(-8)}  ${next.preview.headline} (you cannot approve it: ${next.obstacle})`);
      continue;
    }
    const others = open.filter((request) => isNeeded(request) && !seen.has(request.id)).length;
    await ask(team, next, others).then(say, (error: unknown) => say(messageOf(error)));
  }
  return 0;

  /** What became of it, in a line. */
  async function ask(from: Team, one: TeamRequest, others: number): Promise<string> {
    const gone = new AbortController();
    const watching = watch(from, one, gone, clock);
    try {
      const verdict = await surface.show((screen) =>
        runPrompt(screen, tools, {
          shown: () => ({ preview: one.preview, dryRun: undefined }),
          tryOut: () => undefined,
          sessionObstacle: 'a second person approves each statement by itself',
          another: true,
          expiresAt: () => one.request.claims.expiresAt,
          busy: () => undefined,
          clock,
          waiting: () => others,
          colours: how.colours,
          ascii: how.ascii,
          mark: how.mark?.words ?? '',
          gone: gone.signal,
        }),
      );
      if (verdict.decision === 'abort') return `left to others: ${one.preview.headline}`;
      await from.answer(one, verdict.decision, verdict.decision === 'deny' ? verdict.reason : undefined);
      return await outcome(from, one, verdict.decision);
    } catch (error) {
      if (gone.signal.aborted) return `settled by others: ${one.preview.headline}`;
      throw error;
    } finally {
      gone.abort();
      watching();
    }
  }
}

/** Not all who have to have approved it. */
function isNeeded({ approvals, request }: TeamRequest): boolean {
  return approvals < request.claims.demands.min;
}

/** Takes the prompt away when others have settled it. */
function watch(team: Team, { id }: TeamRequest, gone: AbortController, clock: ApprovalsClock): () => void {
  let stop = (): void => undefined;
  const look = async (): Promise<void> => {
    const open = await team.waiting().catch(() => undefined);
    if (gone.signal.aborted) return;
    if (open && !open.some((one) => one.id === id && isNeeded(one))) gone.abort();
    else stop = clock.after(lookMs, look);
  };
  stop = clock.after(lookMs, look);
  return () => stop();
}
