/** Work that may pause between its steps: whoever holds up others by it goes on in a later turn of the event loop. */

export type Steps<Result> = Generator<void, Result>;

/** Without a pause. */
export function finished<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
