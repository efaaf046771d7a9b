/** The guide's screen. Draws what it is given; decides nothing. Loaded only when it is opened: ink is slow to import. */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import { filled } from '../character-width.js';
import type { Row } from '../document-rows.js';
import { KeyLine } from '../KeyLine.js';
import { RowWindow } from '../RowWindow.js';

export interface GuideScreenProps {
  readonly title: string;
  readonly place: string;
  readonly rows: readonly Row[];
  readonly keys: readonly (readonly [key: string, does: string])[];
  readonly columns: number;
  readonly height: number;
  readonly colours: boolean;
}

export function GuideScreen({ title, place, rows, keys, columns, height, colours }: GuideScreenProps): ReactElement {
  return (
    <Box flexDirection="column" width={columns}>
      <Text inverse bold wrap="truncate">
        {filled(` ${title}`, Math.max(0, columns - place.length - 1))}
        {place}{' '}
      </Text>
      <RowWindow rows={rows} height={height} colours={colours} />
      <KeyLine keys={keys} columns={columns} />
    </Box>
  );
}
