/**
 * DuckDB in this process. It comes from the optional package @duckdb/node-api, which nothing else loads.
 *
 * What lives here: the engine, and the lock behind which a stranger's SQL reaches nothing but the files that were named. What
 * it must not know: which tables there are.
 */
import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { DbguardError, messageOf } from '../../errors.js';

type Package = typeof import('@duckdb/node-api');

/** No extension is fetched, and none found: a query for tables must not lead to the network. */
const settings = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

export interface ResultColumn {
  readonly name: string;
  /** As DuckDB names it. */
  readonly type: string;
}

export interface Result {
  readonly columns: readonly ResultColumn[];
  /** Values are what JSON has, and bigint. A piece at a time. */
  rows(): AsyncIterable<readonly (readonly unknown[])[]>;
}

export class Engine {
  readonly #connection: DuckDBConnection;
  readonly #package: Package;

  private constructor(connection: DuckDBConnection, loaded: Package) {
    this.#connection = connection;
    this.#package = loaded;
  }

  /** Throws `part-missing` where the package is not installed. */
  static async open(): Promise<Engine> {
    const loaded = await load();
    const instance = await loaded.DuckDBInstance.create(':memory:', settings);
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    // in memory it would put what is too much into the folder that the reader is in
    await connection.run(`SET temp_directory = ''`);
    return new Engine(connection, loaded);
  }

  /** SQL of dbguard's own. */
  async run(sql: string): Promise<void> {
    try {
      await this.#connection.run(sql);
    } catch (error) {
      throw new DbguardError('internal', `DuckDB: ${messageOf(error)}`, { cause: error });
    }
  }

  /** All rows of a query of dbguard's own. */
  async all(sql: string): Promise<readonly (readonly unknown[])[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowsJson();
  }

  /**
   * From here on no file is read but these, none written, nothing loaded, and no setting changed: see "Securing DuckDB" in
   * its manual. There is no way back.
   * @param writable a file that `export` will write
   */
  async lock(readable: readonly string[], writable?: string): Promise<void> {
    const paths = writable === undefined ? readable : [...readable, writable];
    await this.run(`SET allowed_paths = [${paths.map(quotedText).join(', ')}]`);
    await this.run('SET enable_external_access = false');
    await this.run('SET lock_configuration = true');
  }

  /**
   * One query of a stranger's, behind the lock. Throws `usage` for what is more than one statement, no query, or wrong.
   * @param values of $1, $2, ...
   */
  async query(sql: string, values: readonly string[] = []): Promise<Result> {
    await this.checkQuery(sql);
    try {
      const result = await this.#connection.stream(sql, [...values] as DuckDBValue[]);
      return { columns: columnsOf(result), rows: () => this.#rows(result) };
    } catch (error) {
      throw wrongQuery(error);
    }
  }

  /** The rows of a stranger's query into a Parquet file that the lock was told of. Throws as `query` does. */
  async export(sql: string, values: readonly string[], file: string): Promise<void> {
    await this.checkQuery(sql);
    try {
      // it has been read as one query by itself: a comment at its end must not hide what follows
      const copy = `COPY (${sql.replace(/;\s*$/, '')}\n) TO ${quotedText(file)} (FORMAT parquet, COMPRESSION zstd)`;
      await this.#connection.run(copy, [...values] as DuckDBValue[]);
    } catch (error) {
      throw wrongQuery(error);
    }
  }

  /** A query, and nothing that a statement of another kind could do. */
  async checkQuery(sql: string): Promise<void> {
    const { StatementType } = this.#package;
    const { count, type } = await this.#kindOf(sql);
    if (count === 1 && (type === StatementType.SELECT || type === StatementType.EXPLAIN)) return;
    const what = count === 1 ? 'it is no query' : `it is ${count} statements`;
    throw new DbguardError('usage', `only one query can be asked: ${what}`, {
      hint: 'It begins with SELECT, FROM, WITH, DESCRIBE, SUMMARIZE or EXPLAIN.',
    });
  }

  async #kindOf(sql: string): Promise<{ readonly count: number; readonly type?: number }> {
    try {
      const statements = await this.#connection.extractStatements(sql);
      if (statements.count !== 1) return { count: statements.count };
      const prepared = await statements.prepare(0);
      return { count: 1, type: prepared.statementType };
    } catch (error) {
      throw wrongQuery(error);
    }
  }

  async *#rows(result: DuckDBResult): AsyncGenerator<readonly (readonly unknown[])[]> {
    try {
      for await (const rows of result.yieldConvertedRows(this.#package.JsonDuckDBValueConverter)) yield rows;
    } catch (error) {
      throw wrongQuery(error);
    }
  }

  close(): void {
    this.#connection.closeSync();
  }
}

async function load(): Promise<Package> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new DbguardError('part-missing', 'this needs DuckDB, which is not installed', {
      hint: 'Install it beside dbguard (70 MB): npm install -g @duckdb/node-api, or without -g where dbguard is in node_modules.',
      cause,
    });
  }
}

function columnsOf(result: DuckDBResult): ResultColumn[] {
  const types = result.columnTypes();
  return result.columnNames().map((name, index) => ({ name, type: String(types[index]) }));
}

/** What DuckDB says of it, in its first lines: it may quote the query, and candidates. */
function wrongQuery(error: unknown): DbguardError {
  return new DbguardError('usage', messageOf(error).replace('Failed to extract statements: ', '').trim(), {
    hint: 'dbguard transcripts query --views lists the views and their columns.',
  });
}

/** A text as SQL has it. */
function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
