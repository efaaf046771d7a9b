/** What the guide shows, as rows that fit: what was answered, the question, what stands in it, what trying it has shown. */
import { singleLine } from '../../untrusted-text.js';
import { characterWidth, filled, textWidth } from '../character-width.js';
import { type Row, type Span, type Style, wrap } from '../document-rows.js';
import {
  answersOf,
  entryOf,
  type GuideState,
  type Question,
  questionUp,
  type TrialLine,
  trialUp,
} from './guide-state.js';

const marks: Readonly<Record<TrialLine['state'], readonly [mark: string, Style]>> = {
  note: ['-', 'label'],
  ok: ['✓', 'good'],
  warning: ['!', 'warning'],
  failure: ['✗', 'alarm'],
};

/** Between the title and the keys. At most `height` rows: what was answered before goes first, then what is said of the question. */
export function guideRows(state: GuideState, columns: number, height: number): Row[] {
  const question = questionUp(state);
  const before = answeredRows(state, columns);
  const about = wrap([{ style: 'faint', text: question.about }], columns, 0);
  const up: Row[] = [[{ style: 'keyword', text: question.title }]];
  const field = [...fieldRows(state, question, columns), [], ...trialRows(state, columns)];
  const variants: Row[][] = [
    [...before, [], ...up, ...about, [], ...field],
    [...up, ...about, [], ...field],
    [...up, ...field],
  ];
  const fitting = variants.find((rows) => rows.length <= height);
  if (fitting !== undefined) return fitting;
  const rows = variants.at(-1) ?? [];
  const more = rows.length - height + 1;
  return [
    ...rows.slice(0, height - 1),
    [{ style: 'faint', text: filled(`${more} more rows: make the window higher`, columns) }],
  ];
}

/** One row each, in their order. */
function answeredRows(state: GuideState, columns: number): Row[] {
  const answers = answersOf(state);
  const shown = state.questions.slice(0, state.at);
  const width = Math.max(0, ...shown.map(({ title }) => textWidth(title)));
  return shown.map((question) => {
    const lines = state.entries[question.id]?.tried?.lines ?? [];
    const worst = (['failure', 'warning', 'ok'] as const).find((one) => lines.some((line) => line.state === one));
    const [mark, style] = marks[worst ?? 'ok'];
    const answer = words(question, answers[question.id] ?? '');
    const text = filled(`${question.title.padEnd(width)}  ${singleLine(answer, 300)}`, columns - 2).trimEnd();
    return [
      { style, text: `${mark} ` },
      { style: 'plain', text },
    ];
  });
}

function words({ kind, choices = [] }: Question, value: string): string {
  if (value === '') return '-';
  if (kind === 'secret') return 'given';
  return passwordHidden(choices.find((one) => one.value === value)?.text ?? value);
}

/** Whoever looks over a shoulder later sees none. */
export function passwordHidden(text: string): string {
  return text
    .replace(/^(\w+:\/\/[^/@?#]*?):[^@/]*@/, '$1:***@')
    .replace(/(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)/gi, '$1***');
}

function fieldRows(state: GuideState, question: Question, columns: number): Row[] {
  const { text, cursor } = entryOf(state, question);
  const choices = (question.choices ?? []).flatMap(({ value, text: says }): Row[] => {
    const isUp = value === text;
    const line = `${isUp ? '>' : ' '} ${singleLine(says, 600)}`;
    return wrap([{ style: isUp ? 'keyword' : 'plain', text: line }], columns, 4);
  });
  if (question.kind === 'choice') return choices;
  const shown = question.kind === 'secret' ? '*'.repeat([...text].length) : text;
  const suggested: Row[] = choices.length === 0 ? [] : [[], [{ style: 'faint', text: 'up/down:' }], ...choices];
  return [editedRow(shown, cursor, columns), ...suggested];
}

/** The part of it that has the cursor in it. */
function editedRow(text: string, cursor: number, columns: number): Row {
  const characters = [...singleCharacters(text)];
  const room = Math.max(10, columns - 3);
  let from = 0;
  const widthBetween = (first: number, last: number): number =>
    characters.slice(first, last).reduce((sum, one) => sum + characterWidth(one.codePointAt(0) ?? 0), 0);
  while (widthBetween(from, cursor + 1) > room) from++;
  let to = characters.length;
  while (widthBetween(from, to) > room) to--;
  const spans: Span[] = [
    { style: 'keyword', text: '> ' },
    { style: 'plain', text: characters.slice(from, cursor).join('') },
    { style: 'cursor', text: characters[cursor] ?? ' ' },
    { style: 'plain', text: characters.slice(cursor + 1, to).join('') },
  ];
  return spans.filter((one) => one.text !== '');
}

/** What a terminal would act on stands as one sign, so that the cursor stays where it is. */
function singleCharacters(text: string): string {
  return [...text].map((one) => (singleLine(one, 20) === one || one === ' ' ? one : '?')).join('');
}

function trialRows(state: GuideState, columns: number): Row[] {
  const lines = state.trying?.lines ?? trialUp(state)?.lines ?? [];
  const rows = lines.flatMap(({ state: how, text, fix }): Row[] => {
    const [mark, style] = marks[how];
    const said = wrap(
      [
        { style, text: `${mark} ` },
        { style: 'plain', text: singleLine(text, 700) },
      ],
      columns,
      2,
    );
    if (fix === undefined || how === 'ok') return said;
    return [...said, ...wrap([{ style: 'faint', text: `  → ${singleLine(fix, 700)}` }], columns, 4)];
  });
  return state.trying === undefined ? rows : [...rows, [{ style: 'faint', text: 'trying …' }]];
}

/** The keys that mean something now, those that matter first. */
export function guideKeys(state: GuideState): readonly (readonly [key: string, does: string])[] {
  const leave = ['ctrl-c', 'leave, nothing written'] as const;
  if (state.trying !== undefined) return [['esc', 'stop'], leave];
  const question = questionUp(state);
  const trial = trialUp(state);
  const failed = trial?.lines.some((line) => line.state === 'failure') === true;
  const enter =
    trial === undefined
      ? 'go on'
      : trial.refused
        ? 'try again'
        : failed
          ? 'keep it anyway'
          : state.at + 1 === state.questions.length
            ? 'done'
            : 'next';
  const back = state.at > 0 ? ([['esc', 'back']] as const) : [];
  const choose = (question.choices?.length ?? 0) > 1 ? ([['up/down', 'choose']] as const) : [];
  return [['enter', enter], ...back, ...choose, leave];
}
