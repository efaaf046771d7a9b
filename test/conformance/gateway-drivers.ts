/**
 * Drivers as they are, through `dbguard serve`: a token as the password, over TLS that they verify, and everything that they say
 * is what they say of the server itself. With tokens by RS256 and by ES256.
 */
import type pg from 'pg';
import { stageGateway } from '../helpers/gateway.js';
import { clientProgram } from '../helpers/postgres.js';
import type { Target } from '../helpers/wire-client.js';
import { differences } from './differences.js';
import { type Program, programs } from './programs.js';
import { runPsql, scripts } from './psql.js';

/** Prints as it goes. Returns how many differ. */
export async function tryGatewayDrivers(chosen: (name: string) => boolean): Promise<number> {
  let different = 0;
  for (const alg of ['RS256', 'ES256'] as const) {
    const stage = await stageGateway({ alg });
    try {
      const connections = { shop: { url: stage.postgres.url(), environment: 'development' } };
      stage.configure({}, { policy: { profile: 'observe' }, connections });
      const gateway = await stage.start();
      const { host, port, superuser: user, password } = stage.postgres;
      const server: Target = { host, port, user, password, database: 'postgres' };
      const through: Target = {
        ...{ host: 'localhost', port: gateway.port, user, password: await stage.tokenOf('ada'), database: 'postgres' },
        rootcert: stage.rootcert,
      };
      for (const driver of drivers().filter(({ name }) => chosen(name))) {
        const missing = await driver.missing();
        if (missing !== undefined) {
          console.log(`  ${alg}, ${driver.name}: skipped, there is no ${missing}`);
          continue;
        }
        const heard: string[][] = [];
        for (const target of [server, through]) {
          await stage.postgres.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
          heard.push((await driver.run(target)).map((line) => line.replaceAll('localhost', host)));
        }
        const [direct = [], guarded = []] = heard;
        const wrong =
          direct.at(-1) === 'exit 0'
            ? differences(direct, guarded)
            : ['fails without dbguard, too', ...direct.slice(-8)];
        if (wrong.length > 0) different++;
        console.log(`  ${alg}, ${driver.name}: ${wrong.length === 0 ? 'the same' : `different\n${wrong.join('\n')}`}`);
      }
    } finally {
      await stage.close();
    }
  }
  return different;
}

function drivers(): Program[] {
  const others = programs(undefined).filter(({ name }) => !name.startsWith('sqlsmith'));
  const psql = clientProgram('psql');
  const [name = '', script = ''] = Object.entries(scripts)[0] ?? [];
  const libpq: Program = {
    name: `psql, ${name}`,
    missing: async () => (psql === undefined ? 'psql' : undefined),
    run: async (target) => [...(await runPsql(psql ?? '', target, script)), 'exit 0'],
  };
  return [libpq, nodePostgres, ...others];
}

const nodePostgres: Program = {
  name: 'node-postgres, a fresh password each time',
  missing: async () => undefined,
  async run({ host, port, user, password, database, rootcert }) {
    const { Pool } = (await import('pg')).default;
    const { readFileSync } = await import('node:fs');
    const ssl = rootcert === undefined ? false : { ca: readFileSync(rootcert, 'utf8') };
    const pool: pg.Pool = new Pool({ host, port, user, database, ssl, password: async () => password, max: 5 });
    try {
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          pool.query({ name: 'double', text: 'SELECT $1::int * 2 AS n', values: [n] }),
        ),
      );
      return [...all.map(({ rows }) => JSON.stringify(rows)), 'exit 0'];
    } finally {
      await pool.end();
    }
  },
};
