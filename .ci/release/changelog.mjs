// What changed, by group, from the subjects of the commits. Pure.

/**
 * @param groups of .goreleaser-style.yml, in the order in which they take a subject; the last one takes the rest
 * @returns Markdown
 */
export function changelog({ version, date, subjects, groups }) {
  const taken = new Map(groups.map(({ title }) => [title, []]));
  const patterns = groups.map(({ title, regexp }) => [title, regexp && new RegExp(regexp.replace('(?i)', ''), 'i')]);
  for (const subject of subjects) {
    const [title] = patterns.find(([, pattern]) => !pattern || pattern.test(subject));
    taken.get(title).push(subject);
  }
  const parts = [...taken].filter(([, lines]) => lines.length > 0);
  const text = parts.map(([title, lines]) => `### ${title}\n\n${lines.map((line) => `- ${line}\n`).join('')}`);
  return `## dbguard ${version}, ${date}\n\n${text.join('\n')}`;
}
