/** The approval prompt. Draws what it is given; decides nothing. Loaded only when a prompt is drawn: ink is slow to import. */
import { Box, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { PendingApproval } from '../approval/approvals.js';
import type { Preview } from '../approval/preview.js';
import { counted, grouped } from '../words.js';
import { fitted, textWidth } from './character-width.js';
import { placeLine, type Row } from './document-rows.js';
import type { PromptState } from './prompt-state.js';
import { RowWindow, styles, type TextStyle, withColours } from './RowWindow.js';

export interface ApprovalPromptProps {
  readonly preview: Preview;
  readonly state: PromptState;
  readonly dryRun: PendingApproval['dryRun'] | undefined;
  /** Keys count now. */
  readonly settled: boolean;
  readonly secondsLeft: number;
  /** Statements that wait behind this one. */
  readonly waiting: number;
  readonly sessionObstacle: string | undefined;
  /** It is somebody else's statement: silence leaves it open, and so does x. */
  readonly another: boolean;
  readonly document: readonly Row[];
  readonly columns: number;
  readonly windowRows: number;
  /** A low screen: what frames the document goes, the mark and the keys stay. */
  readonly compact: boolean;
  /** Without them, bold, dim and inverse stay. */
  readonly colours: boolean;
  readonly mark: string;
}

/** Both colours named: the terminal's own background would show through as the text of an inverse bar. */
const productionBar: TextStyle = { color: 'whiteBright', backgroundColor: 'red' };
const otherBar: TextStyle = { color: 'black', backgroundColor: 'yellow' };

export function ApprovalPrompt(props: ApprovalPromptProps): ReactElement {
  const { preview, state, document, windowRows, columns, compact, colours, mark } = props;
  const badge = preview.production ? ' PRODUCTION ' : ' ';
  const shown = document.slice(state.scroll, state.scroll + windowRows);
  return (
    <Box flexDirection="column" width={columns}>
      <Text bold wrap="truncate" {...withColours(preview.production ? productionBar : otherBar, colours)}>
        {badge}
        {fitted(`${preview.headline}?`, Math.max(0, columns - badge.length))}
      </Text>
      {!compact && <Text wrap="truncate"> {placeLine(preview)}</Text>}
      {(!compact || mark !== '') && <MarkedRule mark={mark} columns={columns} />}
      <RowWindow rows={shown} height={windowRows} colours={colours} />
      {!compact && (
        <Text dimColor wrap="truncate">
          {scrollLine(props)}
        </Text>
      )}
      {state.mode === 'reason' ? <ReasonKeys {...props} /> : <ChoiceKeys {...props} />}
    </Box>
  );
}

/** The rule that carries the mark: nothing that the child draws can. */
function MarkedRule({ mark, columns }: { readonly mark: string; readonly columns: number }): ReactElement {
  if (mark === '') return <Text dimColor>{'─'.repeat(columns)}</Text>;
  const rest = Math.max(0, columns - textWidth(mark) - 4);
  return (
    <Text wrap="truncate">
      <Text dimColor>── </Text>
      <Text bold>{mark}</Text>
      <Text dimColor> {'─'.repeat(rest)}</Text>
    </Text>
  );
}

/** Says how much there is that is not on the screen. */
function scrollLine(props: ApprovalPromptProps): string {
  const { state, columns } = props;
  const below = rowsBelow(props);
  const above = state.scroll;
  if (below <= 0 && above === 0) return '─'.repeat(columns);
  const parts = [
    above > 0 ? `${counted(above, 'row')} above` : '',
    below > 0 ? `${rowsWords(below)} below` : 'the end',
  ].filter((part) => part !== '');
  const told = `── ${parts.join(', ')} `;
  const hint = scrollHints.find((one) => told.length + one.length <= columns) ?? '';
  return `${told}${hint}`.padEnd(columns, '─').slice(0, columns);
}

/** The first that fits is taken. */
const scrollHints = ['(arrows, PgUp, PgDn, Home, End) ', '(arrows, PgUp, PgDn) ', '(arrows) '];

function rowsBelow({ document, state, windowRows }: ApprovalPromptProps): number {
  return document.length - state.scroll - windowRows;
}

function rowsWords(rows: number): string {
  return `${grouped(rows)} more ${rows === 1 ? 'row' : 'rows'}`;
}

interface KeyLabels {
  readonly gap: string;
  readonly labels: Readonly<Record<'a' | 's' | 't' | 'd' | 'r' | 'x', string>>;
}

/** The first that fits is taken; the last fits 60 columns. */
const keyLabels: readonly KeyLabels[] = [
  {
    gap: '  ',
    labels: {
      a: 'approve once',
      s: 'for this session',
      t: 'dry run',
      d: 'deny',
      r: 'deny, say why',
      x: 'end session',
    },
  },
  { gap: '  ', labels: { a: 'approve', s: 'session', t: 'dry run', d: 'deny', r: 'say why', x: 'end' } },
  { gap: ' ', labels: { a: 'approve', s: 'session', t: 'try', d: 'deny', r: 'why', x: 'end' } },
];

function ChoiceKeys(props: ApprovalPromptProps): ReactElement {
  const { sessionObstacle, dryRun, settled, columns, another, preview } = props;
  const dim = settled ? {} : { dimColor: true };
  const keys = (['a', 's', 't', 'd', 'r', 'x'] as const).filter(
    (key) => (key !== 's' || sessionObstacle === undefined) && (key !== 't' || dryRun === 'none'),
  );
  const label = ({ labels }: KeyLabels, key: keyof KeyLabels['labels']): string =>
    another && key === 'x'
      ? 'leave it'
      : key === 's' && preview.window !== undefined
        ? `for ${preview.window}`
        : labels[key];
  const widthOf = (set: KeyLabels): number =>
    keys.reduce((sum, key) => sum + set.gap.length + ' k  '.length + label(set, key).length, 0);
  const fitting = keyLabels.find((one) => widthOf(one) < columns) ?? keyLabels.at(-1);
  const children = keys.flatMap((key) => [
    createElement(Key, { key, name: key }),
    ` ${fitting ? label(fitting, key) : ''}${fitting?.gap ?? ''}`,
  ]);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate" {...dim}>
        {' '}
        {children}
      </Text>
      <Text wrap="truncate"> {statusLine(props)}</Text>
    </Box>
  );
}

function Key({ name }: { readonly name: string }): ReactElement {
  return (
    <Text inverse bold>
      {' '}
      {name}{' '}
    </Text>
  );
}

function ReasonKeys({ state, secondsLeft }: ApprovalPromptProps): ReactElement {
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-start">
        {' '}
        Why not? <Text bold>{state.reason}</Text>
        <Text inverse> </Text>
      </Text>
      <Text dimColor wrap="truncate">
        {' '}
        Enter denies, Esc goes back. {timeLeft(secondsLeft)} left. The agent reads this.
      </Text>
    </Box>
  );
}

function statusLine(props: ApprovalPromptProps): ReactElement {
  const { state, dryRun, settled, secondsLeft, waiting, colours } = props;
  const more = waiting > 0 ? `, ${waiting} more waiting` : '';
  const below = props.compact ? rowsBelow(props) : 0;
  const hidden = below > 0 ? ` ${rowsWords(below)} below.` : '';
  const silence = props.another ? 'No answer leaves it open for' : 'No answer denies in';
  const left = `${silence} ${timeLeft(secondsLeft)}${more}.${hidden}`;
  const warning = warningOf(state, props.another);
  if (warning !== undefined) return <Warning colours={colours} text={`${warning} (${timeLeft(secondsLeft)})`} />;
  if (dryRun === 'running') return <Text bold>Running it, to undo it again … {left}</Text>;
  if (!settled) return <Text dimColor>Keys count in a moment. {left}</Text>;
  return <Text>{left}</Text>;
}

/** With the time, no wider than 60 columns. */
function warningOf({ confirming, ignored }: PromptState, another: boolean): string | undefined {
  if (confirming === 'abort' && another) return 'Leaves it to others. Press x again.';
  if (confirming === 'abort') return 'Ends the agent and this session. Press x again.';
  if (confirming !== undefined) {
    return `Not seen to its end yet. Scroll, or press ${confirming === 'once' ? 'a' : 's'} again.`;
  }
  return ignored ? 'Typing is ignored here. Pause, then press one key.' : undefined;
}

function Warning({ text, colours }: { readonly text: string; readonly colours: boolean }): ReactElement {
  return (
    <Text bold {...withColours(styles.warning, colours)}>
      {text}
    </Text>
  );
}

function timeLeft(seconds: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
