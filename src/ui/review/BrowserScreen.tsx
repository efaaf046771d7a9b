/**
 * One screen of the terminal browser: its title, what it shows, what is said, and the keys. Draws what it is given; decides
 * nothing. Loaded only when the browser is opened: ink is slow to import.
 */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import type { Row } from '../document-rows.js';
import { KeyLine } from '../KeyLine.js';
import { RowWindow } from '../RowWindow.js';
import { type Cell, sentence, span } from './cells.js';
import { SessionList, type SessionListProps } from './SessionList.js';
import { Timeline, type TimelineProps } from './Timeline.js';

export interface BrowserScreenProps {
  readonly title: string;
  /** On the right of the title. */
  readonly place: string;
  readonly body:
    | ({ readonly kind: 'list' } & SessionListProps)
    | ({ readonly kind: 'timeline' } & TimelineProps)
    | { readonly kind: 'text'; readonly rows: readonly Row[]; readonly height: number };
  /** Of what is chosen. */
  readonly about: readonly Cell[];
  /** What is typed, said, or goes on. */
  readonly said: readonly Cell[];
  readonly keys: readonly (readonly [key: string, does: string])[];
  readonly columns: number;
  readonly colours: boolean;
}

export function BrowserScreen(props: BrowserScreenProps): ReactElement {
  const { columns, colours, about, said } = props;
  return (
    <Box flexDirection="column" width={columns}>
      <Title {...props} />
      <Body {...props} />
      {about.length > 0 && <RowWindow rows={[sentence(about, columns - 2)]} height={1} colours={colours} />}
      <RowWindow rows={[sentence(said, columns - 2)]} height={1} colours={colours} />
      <KeyLine keys={props.keys} columns={columns} />
    </Box>
  );
}

function Title({ title, place, columns }: BrowserScreenProps): ReactElement {
  const room = Math.max(0, Math.min(Math.floor(columns / 2), place.length));
  return (
    <Text inverse bold wrap="truncate">
      {span(` ${title}`, 'plain', columns - room - 2, 'middle').text} {span(place, 'plain', room, 'right').text}{' '}
    </Text>
  );
}

function Body({ body, colours }: BrowserScreenProps): ReactElement {
  switch (body.kind) {
    case 'list':
      return <SessionList {...body} />;
    case 'timeline':
      return <Timeline {...body} />;
    case 'text':
      return <RowWindow rows={body.rows} height={body.height} colours={colours} />;
  }
}
