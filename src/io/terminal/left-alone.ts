/**
 * The terminal's settings where they are another program's, as in `dbguard run -- x | less`.
 *
 * Node puts the terminal back at its end as it found it at its start (`ResetStdio` in node.cc), whoever has set it since:
 * a pager that is still open loses its keys, and one that was left before leaves the shell without echo. It passes over
 * descriptors that have become something else.
 */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** The last act of a process whose output is no terminal: nothing can be written to one afterwards. */
export function leaveTerminalAlone(): void {
  // with its output on the terminal dbguard has it to itself, and gives it back as it found it
  if (isatty(1)) return;
  for (const descriptor of [0, 2]) if (isatty(descriptor)) closeSync(descriptor);
}
