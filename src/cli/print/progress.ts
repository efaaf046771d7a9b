import type { CommandContext } from '../command.js';

/** A count that is written over, where a person is watching. */
export function progressOn({ stderr, env }: CommandContext, noun = 'sessions'): { tick(): void; end(): void } {
  // a terminal without a cursor writes nothing over
  const watched = stderr.isTTY === true && env.TERM !== 'dumb';
  let done = 0;
  let shownAt = 0;
  return {
    tick() {
      done++;
      if (!watched || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      stderr.write(`\r${done} ${noun}`);
    },
    end() {
      if (watched && shownAt > 0) stderr.write('\r\u001b[K');
    },
  };
}
