/** A proxy that is killed in the middle of all kinds of work: what it left is a crash to every reader, never a lie. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query('CREATE TABLE t (id int PRIMARY KEY, note text)');

/** Works until the connection breaks. */
async function work(url: string, kind: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  for (let i = 0; ; i++) {
    const id = kind * 1_000_000 + i;
    if (i % 7 === kind) await client.query('SELEC').catch(stillThere);
    if (i % 5 === kind) await client.query('SELECT 1 / 0').catch(stillThere);
    if (i % 11 === kind) await client.query('DROP TABLE t').catch(stillThere);
    await client.query('INSERT INTO t VALUES ($1, $2)', [id, 'x'.repeat(i % 50)]);
    await client.query({ name: 'read', text: 'SELECT note FROM t WHERE id = $1', values: [id] });
    await client.query('BEGIN; UPDATE t SET note = NULL WHERE id = 1; ROLLBACK');
  }
}

/** An answer of the server's or of dbguard's; anything else means that nobody answers any more. */
function stillThere(error: unknown): void {
  if (!(error instanceof pg.DatabaseError)) throw error;
}

for (const afterMs of [150, 400, 900]) {
  t.test(`killed after ${afterMs} ms`, async (t) => {
    const guarded = await startProxyProcess(server, {
      // biome-ignore lint/suspicious/noThenProperty: the keyword of a rule
      policy: { rules: [{ name: 'no-drop', when: { effect: 'drop' }, then: 'deny', reason: 'never' }] },
    });
    // it was killed: only its workspace is left to be removed
    t.teardown(() => guarded.stop().catch(() => undefined));
    const { workspace, session } = guarded;
    const clients = [0, 1, 2, 3].map((kind) => work(guarded.url(), kind).catch(() => undefined));
    while ((await server.query('SELECT 1 FROM t')).length === 0) await sleep(20);
    await sleep(afterMs);
    process.kill(guarded.pid, 'SIGKILL');
    await Promise.all(clients);
    t.match(await workspace.dbguard(['upload']), { exitCode: 0 });
    const { stdout } = await workspace.dbguard(['transcripts', 'verify', session, '--json']);
    const report = JSON.parse(stdout);
    t.strictSame(
      report.findings.filter(({ severity }: { severity: string }) => severity === 'failure'),
      [],
    );
    t.equal(report.verdict, 'unproven');
    t.ok(report.statements > 0);
    await server.query('TRUNCATE t');
  });
}
