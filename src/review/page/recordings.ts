/**
 * The one place of a page where recordings of a session's results and terminal are shown.
 *
 * What lives here: what a page carries of them. What it must not know: how they are encrypted, and what plays them.
 */

/** How much was recorded beside the statements; their content stays in the bucket. */
export interface RecordedOf {
  readonly results?: number;
  readonly terminal?: boolean;
}

/** One sentence for people; undefined where nothing was recorded. */
export function recordedWords({ results = 0, terminal = false }: RecordedOf): string | undefined {
  if (results === 0 && !terminal) return undefined;
  const what = [results > 0 ? `${results} results` : '', terminal ? 'the terminal' : ''].filter((one) => one !== '');
  return `Recorded beside it, and not in this page: ${what.join(' and ')}`;
}
