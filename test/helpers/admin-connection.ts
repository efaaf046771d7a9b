/** SQL of the superuser, who stands aside, on a connection that does not go through what is tested. */
import pg from 'pg';

export interface AdminConnection {
  /** The first column of the last statement's rows. */
  readonly query: (sql: string) => Promise<readonly unknown[]>;
  end(): Promise<void>;
}

export async function openAdminConnection(url: string): Promise<AdminConnection> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    query: async (sql) => {
      const results: pg.QueryArrayResult | pg.QueryArrayResult[] = await client.query({ text: sql, rowMode: 'array' });
      const last = Array.isArray(results) ? results.at(-1) : results;
      return last?.rows.map((row: unknown[]) => row[0]) ?? [];
    },
    end: () => client.end(),
  };
}
