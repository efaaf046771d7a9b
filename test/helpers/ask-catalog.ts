/** The questions of dbguard's catalog, through node-postgres: in one snapshot, read only, under an empty search_path. */
import pg from 'pg';
import type { AskCatalog } from '../../src/io/catalog/keeper.js';

export interface Asking {
  readonly ask: AskCatalog;
  end(): Promise<void>;
}

export async function askCatalogOf(url: string): Promise<Asking> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: () => (text: string) => text },
  });
  await client.connect();
  let turn: Promise<unknown> = Promise.resolve();
  const askNow: AskCatalog = async (questions) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''");
    try {
      const answers = [];
      for (const { sql, values } of questions) answers.push((await client.query(sql, [...values])).rows);
      return answers;
    } finally {
      await client.query('ROLLBACK');
    }
  };
  return {
    ask: (questions, timeoutMs) => {
      const answers = turn.then(() => askNow(questions, timeoutMs));
      turn = answers.catch(() => undefined);
      return answers;
    },
    end: async () => {
      await turn;
      await client.end();
    },
  };
}
