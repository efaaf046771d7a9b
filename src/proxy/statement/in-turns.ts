/** Long work in turns of the event loop, so that the clients that it is not for do not wait for all of it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Steps } from '../../sql/steps.js';

/** Undefined where it is not done by then; it can go on. */
export function finishedWithin<Result>(steps: Steps<Result>, milliseconds: number): { value: Result } | undefined {
  const end = performance.now() + milliseconds;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step;
    if (performance.now() >= end) return undefined;
  }
}

/** @param milliseconds of each turn */
export async function inTurns<Result>(steps: Steps<Result>, milliseconds: number): Promise<Result> {
  for (;;) {
    await nextTurn();
    const finished = finishedWithin(steps, milliseconds);
    if (finished) return finished.value;
  }
}
