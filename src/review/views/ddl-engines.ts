/** Engines for which external tables can be printed, by name: known to the command table, which loads nothing else of them. */
export const engineNames = ['athena', 'trino', 'clickhouse', 'bigquery', 'snowflake'] as const;
export type EngineName = (typeof engineNames)[number];
