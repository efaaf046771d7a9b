import { openPager } from '../../io/terminal/pager.js';
import type { CommandContext } from '../command.js';
import { LineWriter } from './line-writer.js';

/** Lines to a person, through a pager on a terminal; waits until that is left. */
export async function paged(
  { stdout, env }: CommandContext,
  write: (out: LineWriter) => Promise<number>,
): Promise<number> {
  const pages = openPager(stdout, env);
  try {
    return await write(new LineWriter(pages.stream));
  } finally {
    await pages.close();
  }
}
