/** Does each real S3 server lead to the verdicts that the tests' own leads to? The table of tamperings, and trials of the store. */
import { differences, judge } from '../review/judge.js';
import { castAt, Scene, type Tampering, tamperings } from '../review/tamperings.js';
import { missingOfCeph, startCeph } from './ceph.js';
import { minioProgram, startMinio } from './minio.js';
import { openRealVault, type RealStore } from './real-store.js';
import { trials } from './store-trials.js';

/** Prints as it goes. Returns how many differ. */
export async function conformEvidence(chosen: (name: string) => boolean): Promise<number> {
  const [missing, minio] = [missingOfCeph(), minioProgram()];
  let different = 0;
  if (missing === undefined) different += await conformStore(await startCeph(), chosen);
  else console.log(`S3: Ceph skipped, there is no ${missing}`);
  if (minio !== undefined) different += await conformStore(await startMinio(minio), chosen);
  else console.log('S3: MinIO skipped, there is no minio');
  return different;
}

async function conformStore(store: RealStore, chosen: (name: string) => boolean): Promise<number> {
  console.log(`S3: ${store.name}`);
  try {
    // the store's clock goes as it goes: rows that set it cannot be played
    const rows = tamperings.filter(({ bucketClock }) => bucketClock !== true);
    const acts = [
      ...rows.map((row) => ({ group: 'tamperings', name: row.name, run: tamper(row) })),
      ...trials.map((trial) => ({ group: 'trials', ...trial })),
    ].filter(({ name }) => chosen(name));
    const tallies: Record<string, { same: number; different: number }> = {};
    for (const [n, { group, name, run }] of acts.entries()) {
      const wrong = await run(store, `evidence-${n}`);
      tallies[group] ??= { same: 0, different: 0 };
      tallies[group][wrong.length === 0 ? 'same' : 'different']++;
      if (wrong.length > 0) console.log(`  ${group}: ${name}\n${wrong.map((line) => `    ${line}\n`).join('')}`);
    }
    for (const [group, { same, different }] of Object.entries(tallies)) {
      console.log(`  ${group.padEnd(24)} ${same} same, ${different} different`);
    }
    return Object.values(tallies).reduce((sum, { different }) => sum + different, 0);
  } finally {
    await store.stop();
  }
}

function tamper(row: Tampering) {
  return async (store: RealStore, bucket: string): Promise<string[]> => {
    const scene = new Scene(await castAt(Date.now() - 10_000));
    row.change(scene);
    const vault = await openRealVault(store, bucket);
    await scene.store(vault);
    const judgement = await judge(scene, vault);
    const wrong = differences(row, judgement);
    return wrong.length === 0 ? [] : [...wrong, ...judgement.messages];
  };
}
