/** `dbguard help TOPIC`, and `dbguard help --man`. Every other `help` is commander's. */

import { DbguardError } from '../errors.js';
import { didYouMean } from '../policy/did-you-mean.js';
import { singleLine } from '../untrusted-text.js';
import { chapterText, topicOf, topicWords } from './chapters.js';
import type { CommandContext } from './command.js';
import { manPage } from './man-page.js';
import { renderMarkdown } from './print/markdown.js';
import { outputStyleFor } from './print/text.js';
import { commandEntries } from './table.js';

/** Undefined where it is about a command. @param words behind `help`. Throws `usage` for what is neither. */
export function helpText(words: readonly string[], context: CommandContext): string | undefined {
  const [word, ...rest] = words;
  if (word === undefined || rest.length > 0) return undefined;
  if (word === '--man') return manPage(commandEntries);
  const topic = topicOf(word);
  if (topic !== undefined) {
    const text = chapterText(topic);
    return context.stdout.isTTY === true ? renderMarkdown(text, outputStyleFor(context)) : text;
  }
  const commands = commandEntries.flatMap(({ path }) => path.split(' ').slice(0, 1));
  if (word.startsWith('-') || word === 'help' || commands.includes(word)) return undefined;
  const guess = didYouMean(word, [...topicWords, ...commands]);
  throw new DbguardError('usage', `unknown command '${singleLine(word, 60)}', and no topic is called so`, {
    hint: guess === undefined ? 'See dbguard --help.' : `Did you mean "dbguard help ${guess}"?`,
  });
}
