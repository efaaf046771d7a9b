/**
 * Ink lays frames out, we put them on the screen. Ink's own writing erases the scrollback when a frame is as high as
 * the terminal, and believes that it knows where the cursor is.
 */
import { PassThrough } from 'node:stream';
import type { render } from 'ink';
import type { ReactElement } from 'react';
import { withoutSignals } from './signal-guests.js';

export interface InkPainter {
  paint(element: ReactElement, columns: number): void;
  close(): void;
}

/** @param onFrame gets each frame: lines of text with their colours */
export function inkPainter(draw: typeof render, onFrame: (frame: string) => void): InkPainter {
  const stdout = Object.assign(new PassThrough(), { columns: 80, rows: 24 });
  stdout.write = (frame: unknown) => {
    onFrame(String(frame));
    return true;
  };
  let instance: ReturnType<typeof render> | undefined;
  return {
    paint: (element, columns) => {
      stdout.columns = columns;
      if (instance) instance.rerender(element);
      else {
        const streams = { stdout, stdin: new PassThrough(), stderr: new PassThrough() } as unknown as object;
        const how = { ...streams, debug: true, exitOnCtrlC: false, patchConsole: false, isScreenReaderEnabled: false };
        instance = withoutSignals(() => draw(element, how));
      }
    },
    close: () => {
      stdout.write = () => true;
      instance?.unmount();
      instance?.cleanup();
    },
  };
}
