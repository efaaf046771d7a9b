/**
 * Microseconds since 1970 UTC that really count microseconds: the system's wall clock to the millisecond, and below it
 * what the monotonic clock says. Agrees with Date.now() at every call, also after the wall clock was set or the machine
 * slept.
 *
 * @param wall whole milliseconds since 1970 UTC
 * @param monotonic milliseconds, with a fraction, since any moment
 */
export function microsecondClock(wall = Date.now, monotonic = () => performance.now()): () => number {
  let offset = 0;
  return () => {
    const steady = monotonic();
    const milliseconds = wall();
    const time = offset + steady;
    if (time < milliseconds) offset = milliseconds - steady;
    else if (time >= milliseconds + 1) offset = milliseconds + lastMicrosecond - steady;
    return Math.floor((offset + steady) * 1000);
  };
}

/** Of a millisecond, in milliseconds. */
const lastMicrosecond = 0.999;
