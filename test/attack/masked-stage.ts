/** A server with masked columns behind a whole proxy that observes, and what its clients see: the stage of attacks on masks. */
import pg from 'pg';
import type { Test } from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { startAttendedProxy } from './attended-proxy.js';

/** @param mask as in dbguard.yaml, for one column or more */
export async function startMaskedStage(t: Test, setup: string, mask: string) {
  const server = await startPostgres({ auth: 'trust' });
  t.teardown(() => server.stop());
  const config = combineConfigs([
    { level: 'user', config: parseConfig(`version: 1\nmask: [${mask}]`, 'dbguard.yaml') },
  ]);
  const audience = { subject: 'dev', groups: undefined, environments: [], connection: 'test', agent: 'a' };
  const policy = compilePolicy([], { profile: 'observe' });
  const { connect, raw } = await startAttendedProxy(t, server, setup, { masked: { config, audience }, policy });
  /** Straight to the server. */
  const direct = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  return { server, connect, raw, direct };
}

export type Text = string | { readonly text: string; readonly values: unknown[] };

/** What came of each text: rows of its results, `|` between results; of one that fails, `!` and why. */
export async function seenOf(client: pg.Client, texts: readonly Text[]): Promise<string[]> {
  const seen: string[] = [];
  for (const text of texts) {
    const query = typeof text === 'string' ? { text } : text;
    const given = await client.query({ ...query, rowMode: 'array' }).catch((error: Error) => `! ${error.message}`);
    const results = (Array.isArray(given) ? given : [given]) as (string | pg.QueryArrayResult)[];
    const shown = results.map((one) => (typeof one === 'string' ? one : rowsOf(one)));
    seen.push(shown.join('|'));
  }
  return seen;
}

const rowsOf = ({ rows }: pg.QueryArrayResult): string => rows.map((row) => row.map(shownOf).join(',')).join(' ');
const shownOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
