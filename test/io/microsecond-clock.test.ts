import * as fc from 'fast-check';
import { test } from 'tap';
import { microsecondClock } from '../../src/io/microsecond-clock.js';

test('agrees with the wall clock to the millisecond, whatever happens to that, and counts below it', async (t) => {
  const step = fc.record({
    passed: fc.double({ min: 0, max: 5, noNaN: true }),
    set: fc.constantFrom(0, 0, 0, -3_600_000, 7),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let [wall, steady] = [1_795_435_200_000.25, 12.5];
      const clock = microsecondClock(
        () => Math.floor(wall),
        () => steady,
      );
      return steps.every(({ passed, set }) => {
        wall += passed + set;
        steady += passed;
        const time = clock();
        return Number.isSafeInteger(time) && Math.floor(time / 1000) === Math.floor(wall);
      });
    }),
  );
  t.pass();
});

test('two moments of one millisecond differ', async (t) => {
  let steady = 0;
  const clock = microsecondClock(
    () => 1000,
    () => steady,
  );
  const first = clock();
  steady = 0.25;
  t.equal(clock() - first, 250);
});

test('the system’s own', async (t) => {
  const clock = microsecondClock();
  const times = Array.from({ length: 1000 }, clock);
  t.ok(
    times.some((time) => time % 1000 !== 0),
    'microseconds that are microseconds',
  );
  t.ok(Math.abs((times.at(-1) ?? 0) / 1000 - Date.now()) < 1000);
});
