/** The person at the terminal of `dbguard run`, as a channel of the approvals queue. */
import type { ApprovalChannel, ApprovalDesk, ApprovalsClock } from '../approval/approvals.js';
import { loadPromptTools, runPrompt } from './prompt-screen.js';
import type { Takeover } from './takeover.js';

export interface TerminalChannelOptions {
  readonly takeover: Takeover;
  readonly clock: ApprovalsClock;
  readonly bell: boolean;
  readonly colours: boolean;
  /** See PromptScreenOptions. */
  readonly ascii: boolean;
  readonly mark: string;
  /** For the count of those that wait; called only while a prompt is up. */
  readonly desk: () => ApprovalDesk;
}

export function terminalChannel(options: TerminalChannelOptions): ApprovalChannel {
  return {
    name: 'terminal',
    attended: () => options.takeover.open,
    present: async (pending, gone) => {
      const tools = await loadPromptTools();
      return options.takeover.show((surface) => {
        // for whoever looks elsewhere
        if (options.bell) surface.write('\x07');
        return runPrompt(surface, tools, {
          shown: () => ({ preview: pending.preview, dryRun: pending.request.dryRun && pending.dryRun }),
          tryOut: () => options.desk().tryOut(pending.request.id),
          sessionObstacle: pending.sessionObstacle,
          expiresAt: () => pending.expiresAt,
          busy: () => options.desk().busy(pending.request.id),
          clock: options.clock,
          waiting: () => Math.max(0, options.desk().pending.length - 1),
          colours: options.colours,
          ascii: options.ascii,
          mark: options.mark,
          gone,
        });
      });
    },
  };
}
