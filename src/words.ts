/** @returns the number, rounded to a whole one, in groups of three: without Intl, which takes 15 ms to begin. */
export function grouped(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 row`, `2,000 rows`. @param noun one of those that take an s */
export function counted(number: number, noun: string): string {
  return `${grouped(number)} ${Math.round(number) === 1 ? noun : `${noun}s`}`;
}
