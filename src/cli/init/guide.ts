/**
 * The guided way on a screen of its own: keys into the guide's state, its wishes to the trials, what they tell back onto the
 * screen. Nothing is written here.
 */
import type { DbguardError } from '../../errors.js';
import { startTerminal, type TtyStreams } from '../../io/terminal/terminal.js';
import { AloneSurface } from '../../ui/alone-surface.js';
import { asciiCells } from '../../ui/ascii-cells.js';
import { guideKeys, guideRows } from '../../ui/guide/guide-rows.js';
import {
  answersOf,
  type GuideEvent,
  type GuideState,
  guideEvent,
  startGuide,
  type Want,
} from '../../ui/guide/guide-state.js';
import type * as tools from '../../ui/guide/guide-tools.js';
import { loadPromptTools, runPrompt } from '../../ui/prompt-screen.js';
import { FullScreen } from '../print/full-screen.js';
import { drawsSigns } from '../print/printable-output.js';
import { wantsColours } from '../print/text.js';
import { ownMark } from '../settings/own-mark.js';
import type { PracticeSurface } from './practice.js';
import { type Asking, type QuestionId, questionsFor } from './questions.js';
import { leftIt } from './trial.js';
import { type Trying, tryAnswer } from './trials.js';

/** Title and keys. */
const chromeRows = 2;

/** Resolves to what was answered; rejects with `usage` when the person leaves. */
export async function guide(
  streams: TtyStreams,
  trying: Trying,
  asked: Omit<Asking, 'passwordWanted' | 'screen'>,
): Promise<Readonly<Record<string, string>>> {
  const loaded = await loadGuideTools();
  const outer = startTerminal(streams, () => process.exit(129));
  const one = new Guide(loaded, outer, trying, asked);
  try {
    return await one.answers;
  } finally {
    one.close();
    outer.stop();
  }
}

async function loadGuideTools(): Promise<typeof tools> {
  // React's development build opens itself to developer tools
  process.env.NODE_ENV = 'production';
  delete process.env.DEV;
  return import('../../ui/guide/guide-tools.js');
}

class Guide {
  readonly answers: Promise<Readonly<Record<string, string>>>;
  readonly #tools: typeof tools;
  readonly #trying: Trying;
  readonly #asked: Omit<Asking, 'passwordWanted' | 'screen'>;
  readonly #screen: FullScreen;
  #state: GuideState;
  #passwordWanted = false;
  #stop = new AbortController();
  #enter: (() => void) | undefined;
  #settle: (error?: DbguardError) => void = () => undefined;

  constructor(
    loaded: typeof tools,
    outer: ReturnType<typeof startTerminal>,
    trying: Trying,
    asked: Omit<Asking, 'passwordWanted' | 'screen'>,
  ) {
    this.#tools = loaded;
    this.#trying = trying;
    this.#asked = asked;
    this.#state = startGuide(outer.size, this.#questions({}));
    this.answers = new Promise((resolve, reject) => {
      this.#settle = (error) => (error ? reject(error) : resolve(answersOf(this.#state)));
    });
    const { env } = trying.context;
    this.#screen = new FullScreen({
      outer,
      draw: loaded.render,
      onKey: (key) => this.#tell({ kind: 'key', key }),
      onSize: (size) => this.#tell({ kind: 'size', ...size }),
      ...(drawsSigns(env) ? {} : { signs: asciiCells }),
    });
    this.#paint();
  }

  close(): void {
    this.#stop.abort();
    this.#screen.close();
  }

  #questions(answers: Readonly<Record<string, string>>) {
    return questionsFor(answers, { ...this.#asked, passwordWanted: this.#passwordWanted, screen: true });
  }

  #tell(event: GuideEvent): void {
    if (this.#state.over !== undefined) return;
    const { state, want } = guideEvent(this.#state, event);
    this.#state = state;
    if (want !== undefined) this.#fulfil(want);
    if (state.over === 'left') this.#settle(leftIt());
    else if (state.over === 'done') this.#settle();
    else this.#paint();
  }

  #fulfil(want: Want): void {
    if (want.kind === 'enter') this.#enter?.();
    else if (want.kind === 'stop') this.#stop.abort();
    else void this.#try(want.id as QuestionId, want.value);
  }

  async #try(id: QuestionId, value: string): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    const answers = { ...answersOf(this.#state), [id]: value };
    const outcome = await tryAnswer(id, answers, this.#trying, {
      signal: stop.signal,
      say: (line) => !stop.signal.aborted && this.#tell({ kind: 'told', line }),
      onEnter: (act) => {
        this.#enter = act;
      },
      surface: this.#practice,
    });
    // the person did not wait for it
    if (stop.signal.aborted) return;
    if (id === 'database' || outcome.passwordWanted) this.#passwordWanted = outcome.passwordWanted === true;
    if (outcome.refused !== true) this.#tell({ kind: 'questions', questions: this.#questions(answers) });
    this.#tell({ kind: 'tried', lines: outcome.lines, refused: outcome.refused === true });
  }

  readonly #practice: PracticeSurface = async ({ preview, sessionObstacle, timeoutMs }) => {
    const { context } = this.#trying;
    const [prompt, mark] = await Promise.all([loadPromptTools(), ownMark(context)]);
    const gone = new AbortController();
    let expiresAt = Date.now() + timeoutMs;
    const late = setInterval(() => Date.now() > expiresAt && gone.abort(), 200);
    try {
      return await this.#screen.lend((outer) =>
        new AloneSurface(outer, false, () => undefined).show((surface) =>
          runPrompt(surface, prompt, {
            shown: () => ({ preview, dryRun: undefined }),
            tryOut: () => undefined,
            sessionObstacle,
            expiresAt: () => expiresAt,
            busy: () => {
              expiresAt = Math.max(expiresAt, Date.now() + timeoutMs);
            },
            clock: {
              now: () => Date.now(),
              after: (milliseconds, callback) => {
                const timer = setTimeout(callback, milliseconds);
                return () => clearTimeout(timer);
              },
            },
            waiting: () => 0,
            colours: wantsColours(context.env),
            ascii: !drawsSigns(context.env),
            mark: mark?.words ?? '',
            gone: gone.signal,
          }),
        ),
      );
    } catch (error) {
      if (gone.signal.aborted) return undefined;
      throw error;
    } finally {
      clearInterval(late);
    }
  };

  #paint(): void {
    if (this.#screen.lent) return;
    const { size, at, questions } = this.#state;
    const { columns } = size;
    const height = Math.max(1, size.rows - chromeRows);
    const props = {
      ...{ title: 'dbguard init', place: `${at + 1} of ${questions.length}`, columns, height },
      rows: guideRows(this.#state, columns - 2, height),
      keys: guideKeys(this.#state),
      colours: wantsColours(this.#trying.context.env),
    };
    this.#screen.paint(this.#tools.createElement(this.#tools.GuideScreen, props), columns);
  }
}
