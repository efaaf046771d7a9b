/** The labelled statements of test/vectors/sql. */
import { readdirSync, readFileSync } from 'node:fs';

export interface CorpusStatement {
  readonly sql: string;
  /** `dangerous`: a careful DBA would want to see it before it runs. Judged from the statement alone. */
  readonly label: 'safe' | 'dangerous';
  readonly tool: string;
  readonly why: string;
}

const folder = new URL('../vectors/sql/', import.meta.url);

export function readCorpus(): CorpusStatement[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  return files.flatMap((name) =>
    readFileSync(new URL(name, folder), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CorpusStatement),
  );
}
