/**
 * `dbguard serve` beside pgbouncer, both with TLS towards their clients, which are a hundred: throughput, connecting, memory. The
 * gateway's clients are one person by one token; it signs, journals and uploads.
 */
import { stageGateway } from '../helpers/gateway.js';
import { clientProgram, postgresAvailable } from '../helpers/postgres.js';
import { makeCertificate } from '../io/upstream/certificates.js';
import { fill, type PgbenchRun, pgbench } from './pgbench.js';
import { median } from './table.js';
import { type BenchTarget, direct, memoryOf, startPgbouncer } from './targets.js';

type Load = Omit<PgbenchRun, 'seconds'>;

const clients = 100;
const loads: Readonly<Record<string, Load>> = {
  'SELECT by key, simple': { clients, mode: 'simple', selectOnly: true },
  'SELECT by key, prepared': { clients, mode: 'prepared', selectOnly: true },
  'TPC-B-like, prepared': { clients, mode: 'prepared', selectOnly: false },
};
const connecting: Load = { clients: 4, mode: 'simple', selectOnly: true, reconnect: true };

export async function benchServe(seconds: number, rounds: number): Promise<void> {
  const program = clientProgram('pgbench');
  if (program === undefined) return console.log('serve: pgbench is not installed');
  const postgres = {
    version: postgresAvailable(15) ? 15 : 18,
    cache: false,
    settings: { max_connections: '400', shared_buffers: '256MB', synchronous_commit: 'off' },
  } as const;
  const stage = await stageGateway({ postgres });
  const targets: BenchTarget[] = [];
  try {
    await fill(program, direct(stage.postgres));
    const more = { policy: { mass_changes: { budget: false } } };
    const limits = { connections: 400, per_person: 400 };
    stage.configure({ limits }, more);
    const plain = await stage.start();
    stage.configure({ limits, pool: { size: 200 } }, more);
    const pooling = await stage.start({ env: { DBGUARD_HOME: `${stage.workspace.home}/pooling` } });
    const token = await stage.tokenOf('ada');
    const gateway = ({ port, process }: typeof plain): BenchTarget => ({
      ...{
        name: 'dbguard',
        host: '127.0.0.1',
        port,
        user: 'ada@example.test',
        password: token,
        database: 'shop',
        tls: true,
      },
      ...(process.pid === undefined ? {} : { pid: process.pid }),
      stop: async () => undefined,
    });
    const { pem, keyPem } = makeCertificate({ name: 'bouncer', hosts: ['127.0.0.1'] });
    const bouncer = await startPgbouncer(stage.postgres, { certificate: pem, key: keyPem });
    if (bouncer) targets.push(bouncer);
    else console.log('pgbouncer is not installed');
    const [gate, pooled] = [gateway(plain), gateway(pooling)];
    targets.push(gate, pooled);
    const names = [...(bouncer ? ['pgbouncer'] : []), 'serve', 'with a pool'];
    console.log(
      `serve: PostgreSQL ${stage.postgres.version}, ${clients} clients, TLS, ${rounds} round(s), medians; ${names.join(', ')}`,
    );
    const memory: string[][] = targets.map(() => []);
    for (const [name, load] of Object.entries({ ...loads, 'connect, ask, leave, 4 clients': connecting })) {
      const taken = targets.map((): number[] => []);
      for (let round = 0; round < rounds; round++)
        for (const [at, target] of targets.entries())
          taken[at]?.push(await pgbench(program, target, { ...load, seconds }));
      const figures = taken.map((one) => median(one) ?? 0);
      const ratio = bouncer ? `   serve is ${((figures[1] ?? 0) / (figures[0] ?? 1)).toFixed(2)} of pgbouncer` : '';
      console.log(
        `  ${name.padEnd(32)}${figures.map((one) => `${Math.round(one)} tps`.padStart(14)).join('')}${ratio}`,
      );
      for (const [at, { pid }] of targets.entries()) memory[at]?.push(`${Math.round(memoryOf(pid, 'now') ?? 0)}`);
    }
    for (const [at, name] of names.entries())
      console.log(`  memory of ${name} after each: ${memory[at]?.join(', ')} MB`);
  } finally {
    for (const target of targets) await target.stop();
    await stage.close();
  }
}
