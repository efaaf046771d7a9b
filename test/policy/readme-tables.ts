/** Tables of src/policy/README.md that are made from code: `<!-- name -->` to `<!-- /name -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, '..', '..', 'src', 'policy', 'README.md');

/** The table as the page has it; with UPDATE_README=1 in the environment it is written anew first. */
export function readmeTable(name: string, current: string): string | undefined {
  const text = readFileSync(path, 'utf8');
  const start = text.indexOf(`<!-- ${name} -->\n`);
  const end = text.indexOf(`\n<!-- /${name} -->`);
  if (start < 0 || end < start) return undefined;
  const from = start + `<!-- ${name} -->\n`.length;
  if (process.env.UPDATE_README !== '1') return text.slice(from, end);
  writeFileSync(path, text.slice(0, from) + current + text.slice(end));
  return current;
}
