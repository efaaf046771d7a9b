/** The keys that mean something, in one row: as many as fit. The first ones matter most, and the last one always stands. */
import { Text } from 'ink';
import type { ReactElement } from 'react';

export function KeyLine(props: {
  readonly keys: readonly (readonly [key: string, does: string])[];
  readonly columns: number;
}): ReactElement {
  const { keys, columns } = props;
  const last = keys.at(-1);
  const widthOf = ([key, does]: readonly [string, string]): number => key.length + does.length + 3;
  let room = columns - 1 - (last === undefined ? 0 : widthOf(last));
  const fitting = keys.slice(0, -1).filter((one) => {
    room -= widthOf(one);
    return room >= 0;
  });
  const shown = last === undefined ? fitting : [...fitting, last];
  return (
    <Text wrap="truncate">
      {' '}
      {shown.map(([key, does]) => (
        <Text key={key}>
          <Text bold>{key}</Text>
          <Text dimColor> {does} </Text>
        </Text>
      ))}
    </Text>
  );
}
