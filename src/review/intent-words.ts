/** One line for people: what a statement was asked for, as its agent says. The agent's words: to be sanitised like any text. */
import type { MeantIntent } from './earlier-intents.js';

const fits: Readonly<Record<string, string>> = {
  process: '',
  text: '',
  session: '',
  time: ', by the time alone',
  other: ', but another process than that call’s has sent it',
};

/** `asked for: clean up returned orders (claude-code, Bash)`. */
export function intentLine({ agent, tool, asked, fit }: MeantIntent): string {
  const by = [agent, ...(tool === undefined ? [] : [tool])].join(', ');
  const what = asked?.replace(/\s+/g, ' ').trim().slice(0, longest) ?? 'not known';
  return `asked for: ${what} (says ${by}${fits[fit ?? ''] ?? ''})`;
}

const longest = 300;
