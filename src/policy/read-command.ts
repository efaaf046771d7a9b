/** A program and its arguments: no shell takes them apart. */
import type { Value } from './yaml-source.js';

export function readCommand(value: Value): readonly string[] {
  if (!value.isList) {
    const program = value.string('a list: the program, then its arguments');
    if (!/\s/.test(program)) return [program];
    return value.fail(`expected a list, since no shell takes it apart: [${program.trim().split(/\s+/).join(', ')}]`);
  }
  return value.list((item) => item.string(), 'the list is empty; expected the program, then its arguments');
}
