/** The browser's state as what is drawn: words and tones for every part of a screen. Draws nothing itself. */
import {
  type BrowserState,
  chosenRow,
  chosenSession,
  listHeight,
  type SessionScreen,
  type StatementScreen,
  sessionHeight,
  statementHeight,
  verdictOf,
} from '../../review/browser/browser-state.js';
import { flagsOf, type ListedSession, nameOf } from '../../review/browser/listed-session.js';
import { proofPassages, statementPassages, verdictMarks, verdictTones } from '../../review/browser/passages.js';
import type { RecordedAnswer } from '../../review/recorded-answer.js';
import type { Row } from '../../review/statement-rows.js';
import type { BrowserScreenProps } from '../../ui/review/BrowserScreen.js';
import type { Cell } from '../../ui/review/cells.js';
import { type Passage, passageRows } from '../../ui/review/passages.js';
import type { SessionListItem } from '../../ui/review/SessionList.js';
import { isProofBeside, type TimelineRow } from '../../ui/review/Timeline.js';
import { counted, grouped } from '../../words.js';
import { answerWords } from '../transcripts/answer-words.js';
import { helpPassages } from './help.js';

export interface Drawn {
  readonly props: BrowserScreenProps;
  /** Lines of what is read from top to bottom; undefined where nothing is. */
  readonly lines: number | undefined;
}

/** @param location of the bucket */
export function drawn(state: BrowserState, location: string, colours: boolean): Drawn {
  const { columns } = state.size;
  const frame = { columns, colours, said: saidOf(state) };
  if (state.help !== undefined) return text(state, frame, 'Help', location, helpPassages, state.help);
  const { session, statement } = state;
  if (statement !== undefined) return statementScreen(state, frame, statement);
  if (session === undefined) return { props: { ...frame, ...listScreen(state, location, colours) }, lines: undefined };
  if (session.proof) {
    const passages = proofPassages(sidOf(session.name), verdictOf(state, session.name));
    return text(state, frame, 'What is proven', whoOf(state), passages, session.proofTop);
  }
  return { props: { ...frame, ...sessionScreen(state, session, colours) }, lines: undefined };
}

type Frame = Pick<BrowserScreenProps, 'columns' | 'colours' | 'said'>;

function text(
  state: BrowserState,
  frame: Frame,
  title: string,
  place: string,
  passages: readonly Passage[],
  top: number,
): Drawn {
  const height = statementHeight(state);
  const rows = passageRows(passages, frame.columns - 1);
  const from = Math.max(0, Math.min(top, rows.length - height));
  const body = { kind: 'text' as const, rows: rows.slice(from, from + height), height };
  const keys = [
    ['↑↓', 'scroll'],
    ['any key', 'back'],
  ] as const;
  return {
    props: { ...frame, title, place, body, about: scrollCells(rows.length, from, height), keys },
    lines: rows.length,
  };
}

function scrollCells(lines: number, from: number, height: number): Cell[] {
  if (lines <= height) return [{ text: ' ' }];
  return [{ text: `lines ${from + 1} to ${Math.min(lines, from + height)} of ${grouped(lines)}`, tone: 'quiet' }];
}

function listScreen(state: BrowserState, location: string, colours: boolean) {
  const { shown, pane, size, sessions } = state;
  const height = listHeight(state);
  const { top, selected } = pane;
  const items = shown.slice(top, top + height).map((one) => itemOf(state, one));
  const count =
    shown.length === sessions.size
      ? counted(shown.length, 'session')
      : `${grouped(shown.length)} of ${counted(sessions.size, 'session')}`;
  const listing = state.listing ? ', reading the bucket …' : '';
  return {
    title: `dbguard review  ${location}`,
    place: `${[filterWords(state.filter, state.search), count].filter(Boolean).join('  ')}${listing}`,
    body: { kind: 'list' as const, items, selected: selected - top, columns: size.columns, height, colours },
    about: aboutSession(state, chosenSession(state)),
    keys: [
      ['enter', 'open'],
      ['/', 'search'],
      ['f', 'filter'],
      ['v', 'verify'],
      ['p', 'page'],
      ['r', 'replay'],
      ['q', 'quit'],
      ['V', 'verify all'],
      ['R', 'list again'],
      ['?', 'help'],
    ] as const,
  };
}

function filterWords(filter: string, search: string): string {
  const words = filter === 'everything' || filter === 'any' ? '' : `[${filter}]`;
  return [words, search === '' ? '' : `“${search}”`].filter(Boolean).join(' ');
}

function itemOf(state: BrowserState, session: ListedSession): SessionListItem {
  const verified = verdictOf(state, nameOf(session));
  const known = verified ?? session;
  const count = (number: number | undefined): string => (number === undefined ? '?' : grouped(number));
  return {
    mark:
      verified === undefined
        ? { text: '·', tone: 'quiet' }
        : { text: verdictMarks[verified.verdict], tone: verdictTones[verified.verdict] },
    when: timeOf(session.startedAt).slice(0, 16),
    who: session.person ?? '?',
    where: session.connection ?? '',
    statements: count(known.statements),
    asked: count(known.asked),
    denied: count(known.denied),
    flags: flagsOf(session),
    agent: session.agent ?? '',
  };
}

/** Of what is chosen, in one line: what the list has no room for. */
function aboutSession(state: BrowserState, session: ListedSession | undefined): Cell[] {
  if (session === undefined) return [{ text: state.listing ? 'Reading the bucket …' : 'No session.', tone: 'quiet' }];
  const verified = verdictOf(state, nameOf(session));
  const verdict: Cell =
    verified === undefined
      ? { text: 'not verified yet (v)', tone: 'quiet' }
      : { text: verified.words, tone: verdictTones[verified.verdict] };
  const about = [
    session.agent,
    session.environment,
    session.level && `evidence ${session.level}`,
    session.problem,
  ].filter((one) => one !== undefined);
  return [
    { text: session.sid, tone: 'strong' },
    { text: '  ' },
    verdict,
    { text: `  ${about.join('  ')}`, tone: 'quiet' },
  ];
}

function sessionScreen(state: BrowserState, session: SessionScreen, colours: boolean) {
  const { shown, pane, rows, done, problem } = session;
  const height = sessionHeight(state);
  const verified = verdictOf(state, session.name);
  const reading: Cell =
    problem === undefined
      ? { text: `reading and verifying, ${counted(rows.length, 'row')} so far: nothing is proven yet`, tone: 'quiet' }
      : { text: problem, tone: 'bad' };
  const filter = filterWords(session.standing, session.search);
  const effect = session.effect === undefined ? '' : `[${session.effect}]`;
  const count =
    shown.length === rows.length
      ? counted(rows.length, 'row')
      : `${grouped(shown.length)} of ${counted(rows.length, 'row')}`;
  const proofKeys = isProofBeside(state.size.columns) ? [] : ([['i', 'proof']] as const);
  return {
    title: `${whoOf(state)}`,
    place: [filter, effect, count].filter(Boolean).join('  '),
    body: {
      kind: 'timeline' as const,
      rows: shown.slice(pane.top, pane.top + height).map(timelineRow),
      selected: pane.selected - pane.top,
      columns: state.size.columns,
      height,
      colours,
      proof: proofPassages(sidOf(session.name), verified),
    },
    about:
      verified === undefined || !done ? [reading] : [{ text: verified.words, tone: verdictTones[verified.verdict] }],
    keys: [
      ['enter', 'look'],
      ['/', 'search'],
      ['f', 'filter'],
      ['e', 'effect'],
      ['d', 'denial'],
      ...proofKeys,
      ['q', 'back'],
      ['x', 'redact'],
      ['r', 'replay'],
      ['p', 'page'],
      ['v', 'verify again'],
      ['?', 'help'],
    ] as const,
  };
}

const standingTones = { allowed: 'plain', asked: 'waiting', denied: 'bad', failed: 'bad', other: 'quiet' } as const;

function timelineRow(row: Row): TimelineRow {
  const { n, at, connection, standing, kind, line, end, mood } = row;
  const isStatement = kind === 'statement';
  return {
    number: `#${n}`,
    time: timeOf(at).slice(11, 19),
    client: connection === undefined ? '' : `[${connection}]`,
    standing: { text: standing === 'allowed' || standing === 'other' ? '' : standing, tone: standingTones[standing] },
    text: { text: line.replace(/⏎\s*/g, ' '), tone: isStatement ? 'plain' : 'quiet' },
    end: { text: end, tone: mood === 'bad' ? 'bad' : 'quiet' },
  };
}

function statementScreen(state: BrowserState, frame: Frame, { row, top, recorded }: StatementScreen): Drawn {
  const height = statementHeight(state);
  const width = frame.columns - 1;
  const isRecorded = row.kind === 'statement' && state.session?.recording !== undefined;
  const passages = [...statementPassages(row), ...(isRecorded ? recordedPassages(recorded, width) : [])];
  const rows = passageRows(passages, width);
  const from = Math.max(0, Math.min(top, rows.length - height));
  const connection = row.connection === undefined ? '' : `, connection ${row.connection}`;
  const verified = state.session === undefined ? undefined : verdictOf(state, state.session.name);
  const verdict: Cell =
    verified === undefined
      ? { text: 'nothing is proven yet', tone: 'quiet' }
      : { text: verified.words, tone: verdictTones[verified.verdict] };
  const [lines] = scrollCells(rows.length, from, height);
  const keys = [
    ['↑↓', 'scroll'],
    ['n', 'next'],
    ['p', 'previous'],
    ['d', 'next denial'],
    ['x', 'redact'],
    ['q', 'back'],
    ['r', 'replay'],
    ['?', 'help'],
  ] as const;
  return {
    props: {
      ...frame,
      title: `${row.kind} #${row.n}${connection}`,
      place: whoOf(state),
      body: { kind: 'text', rows: rows.slice(from, from + height), height },
      about: lines === undefined || lines.text === ' ' ? [verdict] : [verdict, { text: '  ' }, lines],
      keys,
    },
    lines: rows.length,
  };
}

/** What came back, as it was recorded: below what was decided and what came of it. */
function recordedPassages(recorded: RecordedAnswer | undefined, columns: number): Passage[] {
  const said = (text: string, tone: Passage['tone']): Passage[] => [
    { text: '', tone: 'plain' },
    { text: 'What came back, as it was recorded', tone: 'strong' },
    { text, tone },
  ];
  if (recorded === undefined) return said('fetching it …', 'quiet');
  const { answer, missing, changed } = recorded;
  const key = missing !== undefined && answer === undefined ? ' (--identity takes your key)' : '';
  return [
    ...(changed ? said(`CHANGED, and not shown: ${missing}`, 'bad') : []),
    ...(missing !== undefined && !changed ? said(`not shown: ${missing}${key}`, 'waiting') : []),
    ...(answer ? said(answerWords(answer, columns - 2).join('\n'), 'plain') : []),
    ...(missing === undefined && answer === undefined ? said('nothing of it was recorded', 'quiet') : []),
  ];
}

/** Of a name: a folder and an id. */
function sidOf(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function whoOf(state: BrowserState): string {
  const session = chosenSession(state);
  if (session === undefined) return '';
  const where = session.connection === undefined ? '' : ` on ${session.connection}`;
  return `${session.person ?? '?'}${where}, ${timeOf(session.startedAt).slice(0, 16)}`;
}

function saidOf(state: BrowserState): Cell[] {
  const { typing, confirming, notice, busy } = state;
  if (typing?.what === 'search')
    return [
      { text: 'search: ' },
      { text: typing.text, tone: 'strong' },
      { text: '▏  enter keeps, esc ends', tone: 'quiet' },
    ];
  const n = chosenRow(state)?.n;
  if (typing !== undefined)
    return [
      { text: `why redact #${n}? ` },
      { text: typing.text, tone: 'strong' },
      { text: '▏  enter goes on, esc leaves it', tone: 'quiet' },
    ];
  if (confirming !== undefined)
    return [
      {
        text: `Sign that the texts of #${confirming.n} are taken out, for good and in your name? y, or any other key`,
        tone: 'bad',
      },
    ];
  if (notice !== undefined) return [{ text: notice.text, tone: notice.tone }];
  return busy === undefined ? [{ text: ' ' }] : [{ text: busy, tone: 'waiting' }];
}

function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '????-??-?? ??:??:??' : date.toISOString().replace('T', ' ');
}
