import type { CommandContext } from '../command.js';

/** A count that is written over, where a person is watching. */
export function progressOn({ stderr }: CommandContext, noun = 'sessions'): { tick(): void; end(): void } {
  let done = 0;
  let shownAt = 0;
  return {
    tick() {
      done++;
      if (stderr.isTTY !== true || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      stderr.write(`\r${done} ${noun}`);
    },
    end() {
      if (stderr.isTTY === true && shownAt > 0) stderr.write('\r\u001b[K');
    },
  };
}
