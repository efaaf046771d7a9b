/** `--only TEXT`: what of many is wanted, by a part of its name, in any case. */
export interface Only {
  (name: string): boolean;
  /** Ends the program with 2 where nothing had such a name: what ran nothing must not look like what went well. */
  insist(): void;
}

export function only(text: string): Only {
  let found = false;
  const wants = (name: string): boolean => {
    const wanted = name.toLowerCase().includes(text.toLowerCase());
    found ||= wanted;
    return wanted;
  };
  const insist = (): void => {
    if (found) return;
    console.error(`Nothing has ${JSON.stringify(text)} in its name.`);
    process.exit(2);
  };
  return Object.assign(wants, { insist });
}
