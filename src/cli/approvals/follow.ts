/** `dbguard approvals` on a terminal: waits for statements of any run, and puts one after the other to the person. */

import type { ApprovalsClock } from '../../approval/approvals.js';
import { putOff } from '../../approval/patience.js';
import type { PromptMark } from '../../approval/prompt-mark.js';
import type { OuterTerminal } from '../../run/terminal-ports.js';
import { AloneSurface } from '../../ui/alone-surface.js';
import { loadPromptTools, runPrompt } from '../../ui/prompt-screen.js';
import { folded } from '../print/text.js';
import type { ApprovalLinks, WaitingStatement } from './links.js';

const lookForRunsMs = 1000;

/** Resolves when the person leaves with q or Ctrl-C. */
export async function follow(
  links: ApprovalLinks,
  terminal: OuterTerminal,
  clock: ApprovalsClock,
  how: {
    readonly bell: boolean;
    readonly colours: boolean;
    readonly ascii: boolean;
    readonly mark: PromptMark | undefined;
  },
): Promise<number> {
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const surface = new AloneSurface(terminal, how.bell, (bytes) => {
    if (bytes.includes(0x03) || bytes.toString() === 'q') leave();
  });
  const say = (line: string): void => {
    const rows = folded(line, { isTTY: true, columns: terminal.size.columns }, 2);
    terminal.write(`${rows.replaceAll('\n', '\r\n')}\r\n`);
  };
  const shown = new Map<WaitingStatement, AbortController>();
  let wake: () => void = () => undefined;

  links.onChange = (settled) => {
    if (settled) {
      const { statement, decision, by } = settled;
      shown.get(statement)?.abort();
      say(`${decision === 'allow' ? 'approved' : 'denied'} by ${by}: ${statement.asked.preview.headline}`);
    }
    wake();
  };

  await links.refresh(true);
  const tools = await loadPromptTools();
  const runs = links.links.size;
  const watched = runs === 0 ? 'No dbguard run is active yet' : `Watching ${runs === 1 ? '1 run' : `${runs} runs`}`;
  say(`${watched}. Statements that need approval come up here. q leaves.`);
  if (how.mark?.chosen === false)
    say(`Every prompt here says “${how.mark.words}”; choose your own words with: dbguard mark`);
  let over = false;
  void left.then(() => {
    over = true;
    wake();
  });
  while (!over) {
    const [next] = links.waiting;
    if (!next) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        clock.after(lookForRunsMs, resolve);
      });
      // a run that refuses says so once; others may still come
      await links.refresh(true).catch(() => undefined);
      continue;
    }
    const gone = new AbortController();
    shown.set(next, gone);
    try {
      const verdict = await surface.show((screen) =>
        runPrompt(screen, tools, {
          shown: () => ({ preview: next.asked.preview, dryRun: next.asked.dryRun }),
          tryOut: () => links.tryOut(next),
          sessionObstacle: next.asked.sessionObstacle,
          ...whileBusy(next, links, clock),
          clock,
          waiting: () => Math.max(0, links.waiting.length - 1),
          colours: how.colours,
          ascii: how.ascii,
          mark: how.mark?.words ?? '',
          gone: gone.signal,
        }),
      );
      await links.settle(next, verdict);
    } catch {
      // answered elsewhere; the line that says by whom is on the screen
    } finally {
      shown.delete(next);
    }
  }
  return 0;
}

/** Once a second is enough to tell the run that the person is still at work. */
const busyMs = 1000;

/** The run puts the end off by the same rule. */
function whileBusy(next: WaitingStatement, links: ApprovalLinks, clock: ApprovalsClock) {
  let until = next.asked.expiresAt;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    expiresAt: (): number => Math.max(until, next.asked.expiresAt),
    busy: (): void => {
      const now = clock.now();
      if (now - toldAt < busyMs) return;
      toldAt = now;
      until = putOff(next.asked, until, now);
      links.busy(next);
    },
  };
}
