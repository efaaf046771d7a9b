/** Options in somebody else's arguments, as `--name value` or `--name=value`. */

export interface Taken {
  readonly values: readonly string[];
  /** The arguments without it. */
  readonly rest: readonly string[];
}

/** Takes an option with a value out, as often as it is there. After `--` nothing is an option. */
export function takeOption(args: readonly string[], name: string): Taken {
  const values: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const value = args[index + 1];
    if (arg === '--') return { values, rest: [...rest, ...args.slice(index)] };
    if (arg.startsWith(`${name}=`)) values.push(arg.slice(name.length + 1));
    else if (arg === name && value !== undefined) {
      values.push(value);
      index++;
    } else rest.push(arg);
  }
  return { values, rest };
}
