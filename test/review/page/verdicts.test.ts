/** The page says of every tampered bucket what the command line says: same verdicts, findings and sentences. */
import { join } from 'node:path';
import { test } from 'tap';
import { listSessions, type ObjectSource } from '../../../src/review/catalog.js';
import { compareWithNeighbours } from '../../../src/review/neighbours.js';
import { collect } from '../../../src/review/page/collect.js';
import { dataText } from '../../../src/review/page/document.js';
import type { PageData } from '../../../src/review/page/page-data.js';
import { proofLines } from '../../../src/review/proof-words.js';
import { type SessionReport, withFindings } from '../../../src/review/session-report.js';
import { startS3 } from '../../helpers/s3.js';
import { clientId } from '../../transcript/people.js';
import { castAt, tamperings as known, Scene } from '../tamperings.js';
import { tamperingsOfStrangers } from '../tamperings-of-strangers.js';
import { folderVault, s3Vault, type Vault } from '../vaults.js';
import { pageBundle } from './bundle.js';

const tamperings = [...known, ...tamperingsOfStrangers];
const cast = await castAt(Date.UTC(2026, 10, 23, 12));
const page = pageBundle();

test('this Node knows Ed25519', async (t) => {
  t.equal(await page.knowsEd25519(), true);
});

test('of what was done to a folder', async (t) => {
  const root = t.testdir();
  for (const [n, row] of tamperings.entries()) {
    if (row.versions) continue;
    const scene = new Scene(cast);
    row.change(scene);
    const vault = await folderVault(join(root, String(n)));
    await scene.store(vault);
    const { here, there } = await bothSay(scene, vault);
    t.strictSame(there, here, row.name);
  }
});

test('of what was done to S3 with versions', async (t) => {
  const server = await startS3();
  server.pageSize = 1000;
  t.teardown(() => server.close());
  for (const row of tamperings.filter(({ versions }) => versions)) {
    const scene = new Scene(cast);
    row.change(scene);
    const vault = await s3Vault(server);
    await scene.store(vault);
    const { here, there } = await bothSay(scene, vault);
    t.strictSame(there, here, row.name);
  }
});

async function bothSay(scene: Scene, { bucket }: Vault): Promise<{ here: unknown[]; there: unknown[] }> {
  const here: unknown[] = [];
  const there: unknown[] = [];
  const how = {
    source: bucket as ObjectSource,
    keys: { keysOf: async () => [{ ...scene.cast.issuer.keys, origin: 'test' }] },
    demands: { clientId },
    now: scene.now,
    ...(scene.retentionDays === undefined ? {} : { retentionDays: scene.retentionDays }),
  };
  const keeping = await bucket.keeping();
  for await (const session of listSessions(bucket)) {
    if (session.sid !== scene.first.sid) continue;
    const { reports, ...collected } = await collect([session], how, (one, report) =>
      compareWithNeighbours(one, report, how),
    );
    const { demands, now: madeAt, retentionDays } = { retentionDays: undefined, ...how };
    const data: PageData = {
      ...{ v: 1, madeAt, version: 'test', location: 'test', keeping, demands },
      ...(retentionDays === undefined ? {} : { retentionDays }),
      ...collected,
    };
    for (const [place, report] of reports.entries())
      here.push(told(withFindings(report, collected.sessions[place]?.between ?? []), keeping));
    for (const { report } of await page.verifyPage(page.parsePageData(dataText(data)), {}))
      there.push(told(report, keeping));
  }
  return { here, there };
}

/** Everything that is said; how unpacking failed has other words where another unpacker has failed. */
function told(report: SessionReport, keeping: PageData['keeping']): unknown {
  // a page leaves out what is redacted: there is nothing then that it would have to ignore
  const kept = report.findings.filter(({ code }) => code !== 'redaction-ignored');
  const findings = kept.map((finding) => ({
    ...finding,
    message: finding.message.replace(/(cannot be unpacked: ).*/, '$1'),
  }));
  const { open: _open, ...rest } = report;
  return JSON.parse(JSON.stringify({ ...rest, findings, proof: proofLines(report, keeping) }));
}
