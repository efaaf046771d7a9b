/**
 * Questions one after the other, back and forth, each answer tried at once.
 *
 * What lives here: which question is up, what was typed to each, what trying it has shown. What it must not know: what is
 * asked, how an answer is tried.
 */

export interface Choice {
  readonly value: string;
  readonly text: string;
}

export interface Question {
  readonly id: string;
  readonly title: string;
  /** One or two sentences. */
  readonly about: string;
  /** `secret`: what is typed is not shown. `choice`: one of `choices`, nothing is typed. */
  readonly kind: 'text' | 'secret' | 'choice';
  /** Of a text: what may be taken over with the arrow keys. */
  readonly choices?: readonly Choice[];
  /** What stands in it before anything was typed. */
  readonly initial?: string;
}

export interface TrialLine {
  readonly state: 'note' | 'ok' | 'warning' | 'failure';
  readonly text: string;
  readonly fix?: string;
}

interface Entry {
  readonly text: string;
  /** In characters. */
  readonly cursor: number;
  readonly tried?: Tried;
}

export interface Tried {
  readonly value: string;
  readonly lines: readonly TrialLine[];
  /** It cannot be kept: another one is needed. */
  readonly refused: boolean;
}

export interface GuideState {
  readonly size: { readonly columns: number; readonly rows: number };
  readonly questions: readonly Question[];
  readonly at: number;
  /** By the question's id; what was typed stays when a question goes and comes again. */
  readonly entries: Readonly<Record<string, Entry>>;
  readonly trying?: { readonly lines: readonly TrialLine[] };
  readonly over?: 'done' | 'left';
}

export type GuideEvent =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number }
  /** Other answers have other questions. The one that is up stays. */
  | { readonly kind: 'questions'; readonly questions: readonly Question[] }
  | { readonly kind: 'told'; readonly line: TrialLine }
  | { readonly kind: 'tried'; readonly lines: readonly TrialLine[]; readonly refused: boolean };

/** `stop` ends a trial; `enter`: the key was pressed while one goes on. */
export type Want =
  | { readonly kind: 'try'; readonly id: string; readonly value: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'enter' };

export function startGuide(size: GuideState['size'], questions: readonly Question[]): GuideState {
  return { size, questions, at: 0, entries: {} };
}

export function questionUp({ questions, at }: GuideState): Question {
  const question = questions[at];
  if (question === undefined) throw new RangeError(`no question ${at}`);
  return question;
}

export function entryOf({ entries }: GuideState, question: Question): Entry {
  const text = question.initial ?? (question.kind === 'choice' ? (question.choices?.[0]?.value ?? '') : '');
  return entries[question.id] ?? { text, cursor: [...text].length };
}

/** What was answered, and was taken. */
export function answersOf({ entries }: GuideState): Record<string, string> {
  const taken = Object.entries(entries).flatMap(([id, { tried }]): [string, string][] =>
    tried === undefined || tried.refused ? [] : [[id, tried.value]],
  );
  return Object.fromEntries(taken);
}

/** Of the answer that stands there now; undefined where another one was tried, or none. */
export function trialUp(state: GuideState): Tried | undefined {
  const { text, tried } = entryOf(state, questionUp(state));
  return tried?.value === text ? tried : undefined;
}

export function guideEvent(state: GuideState, event: GuideEvent): { readonly state: GuideState; readonly want?: Want } {
  switch (event.kind) {
    case 'size':
      return { state: { ...state, size: { columns: event.columns, rows: event.rows } } };
    case 'questions': {
      const { id } = questionUp(state);
      const at = event.questions.findIndex((one) => one.id === id);
      return { state: { ...state, questions: event.questions, at: Math.max(0, at) } };
    }
    case 'told':
      if (state.trying === undefined) return { state };
      return { state: { ...state, trying: { lines: [...state.trying.lines, event.line] } } };
    case 'tried':
      return { state: tried(state, event) };
    case 'key':
      return state.trying === undefined ? pressed(state, event.key) : pressedMeanwhile(state, event.key);
  }
}

/** With nothing to look at, what comes next comes at once. */
function tried({ trying: _, ...state }: GuideState, { lines, refused }: Omit<Tried, 'value'>): GuideState {
  const question = questionUp(state);
  const { text, cursor } = entryOf(state, question);
  const next = withEntry(state, question, { text, cursor, tried: { value: text, lines, refused } });
  return lines.length === 0 && !refused ? forward(next) : next;
}

function pressedMeanwhile(state: GuideState, key: string): { readonly state: GuideState; readonly want?: Want } {
  if (key === 'enter') return { state, want: { kind: 'enter' } };
  if (key !== 'escape' && key !== 'ctrl-c') return { state };
  const { trying: _, ...still } = state;
  return { state: key === 'ctrl-c' ? { ...still, over: 'left' } : still, want: { kind: 'stop' } };
}

function pressed(state: GuideState, key: string): { readonly state: GuideState; readonly want?: Want } {
  const question = questionUp(state);
  const entry = entryOf(state, question);
  switch (key) {
    case 'ctrl-c':
      return { state: { ...state, over: 'left' } };
    case 'escape':
      return { state: { ...state, at: Math.max(0, state.at - 1) } };
    case 'enter': {
      const trial = trialUp(state);
      if (trial !== undefined && !trial.refused) return { state: forward(state) };
      const kept = withEntry(state, question, { text: entry.text, cursor: entry.cursor });
      return { state: { ...kept, trying: { lines: [] } }, want: { kind: 'try', id: question.id, value: entry.text } };
    }
    case 'up':
    case 'down':
      return { state: withEntry(state, question, chosen(question, entry, key === 'down' ? 1 : -1)) };
    default:
      return { state: question.kind === 'choice' ? state : withEntry(state, question, edited(entry, key)) };
  }
}

function forward(state: GuideState): GuideState {
  return state.at + 1 < state.questions.length ? { ...state, at: state.at + 1 } : { ...state, over: 'done' };
}

function withEntry(state: GuideState, { id }: Question, entry: Entry): GuideState {
  return { ...state, entries: { ...state.entries, [id]: entry } };
}

/** Something typed is among the choices of a text once it is none of them. */
function chosen({ choices = [] }: Question, entry: Entry, step: number): Entry {
  if (choices.length === 0) return entry;
  const at = choices.findIndex(({ value }) => value === entry.text);
  const next = at === -1 ? (step > 0 ? 0 : choices.length - 1) : at + step;
  const text = choices[(next + choices.length) % choices.length]?.value ?? entry.text;
  return { ...entry, text, cursor: [...text].length };
}

/** Longer than any address that means something. */
const mostCharacters = 2000;

function edited(entry: Entry, key: string): Entry {
  const characters = [...entry.text];
  const cursor = Math.min(entry.cursor, characters.length);
  switch (key) {
    case 'left':
      return { ...entry, cursor: Math.max(0, cursor - 1) };
    case 'right':
      return { ...entry, cursor: Math.min(characters.length, cursor + 1) };
    case 'home':
      return { ...entry, cursor: 0 };
    case 'end':
      return { ...entry, cursor: characters.length };
    case 'ctrl-u':
      return { ...entry, text: '', cursor: 0 };
    case 'backspace':
      return {
        ...entry,
        text: characters.toSpliced(cursor - 1, cursor > 0 ? 1 : 0).join(''),
        cursor: Math.max(0, cursor - 1),
      };
    default:
      if ([...key].length !== 1 || characters.length >= mostCharacters) return entry;
      return { ...entry, text: characters.toSpliced(cursor, 0, key).join(''), cursor: cursor + 1 };
  }
}
