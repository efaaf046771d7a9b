/**
 * What the runs of this user can open for a time, as `dbguard access` sees it.
 *
 * What lives here: links to runs, one question at a time. What it must not know: how it is shown.
 */
import type { FromRun } from '../../approval/protocol.js';
import type { FromWindows, ShownWindow, ToWindows } from '../../approval/window-protocol.js';
import { DbguardError } from '../../errors.js';
import { connectRuns, type RunLink, runSockets } from '../../io/approvals/socket-client.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { didYouMean } from '../../policy/did-you-mean.js';

export interface RunOfWindows {
  readonly link: RunLink;
  readonly windows: readonly ShownWindow[];
}

/** What only looks like a run need not answer. */
const answerMs = 5000;
const about: ReadonlySet<string> = new Set<FromWindows['type']>([
  'windows',
  'window-opened',
  'window-refused',
  'window-ended',
]);

export class WindowLinks {
  readonly #links: readonly RunLink[];
  readonly #waiting: Map<RunLink, (answer: FromWindows) => void>;

  private constructor(links: readonly RunLink[], waiting: Map<RunLink, (answer: FromWindows) => void>) {
    this.#links = links;
    this.#waiting = waiting;
  }

  /** Throws DbguardError `denied` when runs are there and none would have us. */
  static async open(env: NodeJS.ProcessEnv): Promise<WindowLinks> {
    const dir = stateDirs(env).runtime;
    const waiting = new Map<RunLink, (answer: FromWindows) => void>();
    const { links, refusals } = await connectRuns(dir, runSockets(dir), {
      message: (link, message) => {
        if (isAboutWindows(message)) waiting.get(link)?.(message);
      },
      left: (link) => waiting.delete(link),
    });
    if (links.length === 0 && refusals[0] !== undefined) {
      throw new DbguardError('denied', `dbguard run does not take this from this process: ${refusals[0]}`, {
        hint: 'Access is given by a person. Run this in a terminal of your own, outside the agent.',
      });
    }
    return new WindowLinks(links, waiting);
  }

  /** Runs that answer, with what each can open. */
  async all(): Promise<RunOfWindows[]> {
    const answers = await Promise.all(
      this.#links.map(async (link) => {
        const answer = await this.ask(link, { type: 'windows' });
        return answer?.type === 'windows' ? [{ link, windows: answer.windows }] : [];
      }),
    );
    return answers.flat();
  }

  /** The one run that has this entry. Throws DbguardError where none has, or several. @param session the first characters of its id */
  async one(access: string, session: string | undefined): Promise<{ link: RunLink; window: ShownWindow }> {
    const runs = (await this.all()).filter(({ link }) => link.run.sid.startsWith(session ?? ''));
    const found = runs.flatMap(({ link, windows }) => {
      const window = windows.find((one) => one.access === access);
      return window ? [{ link, window }] : [];
    });
    const [one, another] = found;
    if (one === undefined) throw noneHas(access, runs);
    if (another) {
      throw new DbguardError('usage', `several runs have access ${access}`, {
        hint: `Name one: ${found.map(({ link }) => `--session ${link.run.sid.slice(0, 8)}`).join(', ')}`,
      });
    }
    return one;
  }

  /** Undefined where no answer came. */
  ask(link: RunLink, message: ToWindows): Promise<FromWindows | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), answerMs);
      this.#waiting.set(link, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      link.send(message);
    });
  }

  close(): void {
    for (const link of this.#links) link.close();
  }
}

function noneHas(access: string, runs: readonly RunOfWindows[]): DbguardError {
  if (runs.length === 0) {
    return new DbguardError('approval-unknown', 'no dbguard run is active', {
      hint: 'Access is for a session: start it with dbguard run or dbguard proxy first.',
    });
  }
  const names = [...new Set(runs.flatMap(({ windows }) => windows.map((one) => one.access)))];
  const guess = didYouMean(access, names);
  const known = names.length === 0 ? 'None has one: an entry needs "for: 15m".' : `There is: ${names.join(', ')}.`;
  return new DbguardError('approval-unknown', `no active run has access ${access} that can be given for a time`, {
    hint: guess === undefined ? known : `Did you mean "${guess}"?`,
  });
}

function isAboutWindows(message: FromRun): message is FromWindows {
  return about.has(message.type);
}
