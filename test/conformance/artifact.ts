/**
 * `npm run conformance -- --artifact RELEASE`: what was packed is what is tested. A clean Debian gets each Linux artifact of that
 * folder (made by `.ci/release/make.mjs`) and nothing else; it has to know its own files, guard a real server and lose no statement of the recall
 * table. npm's tarball is installed with every script refused.
 *
 * The clean machine comes from `mmdebstrap`, once, into the folder DBGUARD_CLEAN_ROOT where that is set.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { compilePolicy } from '../../src/policy/engine.js';
import { Registry } from '../../src/proxy/prepared/registry.js';
import { resolveHandles } from '../../src/proxy/prepared/what-a-name-runs.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import type { Only } from '../helpers/only.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { repositoryRoot } from '../helpers/repository.js';
import { recordings } from '../policy/corpus.js';
import { input as decisionInput } from '../policy/facts.js';
import { installed } from './installed.js';

interface Machine {
  /** A line of a shell on it; standard output. Throws with standard error. */
  run(line: string, options?: { input?: string; code?: number }): Promise<string>;
  /** The project's folder as the machine sees it, and as we do. */
  readonly project: { readonly inside: string; readonly here: string };
  /** Paths there of a Node and of a driver's folder, for a client. */
  readonly node: string;
  readonly packages: string;
}

const client = (packages: string): string => `import pg from ${JSON.stringify(`${packages}/pg/esm/index.mjs`)};
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const { rows } = await client.query('select count(*)::int as all from orders');
const refused = await client.query('delete from orders').catch(({ code }) => code);
console.log(JSON.stringify({ ...rows[0], refused }));
await client.end();
`;

/** @returns how many artifacts fail */
export async function conformArtifact(release: string, chosen: Only): Promise<number> {
  const folder = resolve(release);
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const machines: Record<string, () => Promise<Machine>> = {
    [`dbguard-${version}.tgz`]: () => withNpm(join(folder, `dbguard-${version}.tgz`)),
    [`dbguard-${version}-linux-${process.arch}.tar.gz`]: () =>
      clean(folder, `dbguard-${version}-linux-${process.arch}.tar.gz`),
    [`dbguard-${version}-linux-${process.arch}-musl.tar.gz`]: () =>
      clean(folder, `dbguard-${version}-linux-${process.arch}-musl.tar.gz`),
    [`dbguard_${version}_${architecture}.deb`]: () => clean(folder, `dbguard_${version}_${architecture}.deb`),
  };
  const postgres = await startPostgres();
  let failed = 0;
  try {
    await postgres.query('create table orders (id int); insert into orders select generate_series(1, 500)');
    for (const [name, prepare] of Object.entries(machines).filter(([one]) => chosen(one))) {
      const why = existsSync(join(folder, name)) ? undefined : 'it is not in that folder';
      const lacks =
        why ??
        (name.endsWith('.tgz') ? undefined : ['mmdebstrap', 'bwrap'].find((one) => installed(one) === undefined));
      if (lacks !== undefined) {
        console.log(`${name}: skipped, ${why ?? `${lacks} is not installed`}`);
        continue;
      }
      try {
        await smoke(await prepare(), version, postgres, existsSync(join(folder, 'dbguard-release.pem')));
        console.log(`${name}: knows its own files, guards a server, decides on the recall table as the sources do`);
      } catch (error) {
        failed += 1;
        console.log(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  } finally {
    await postgres.stop();
    for (const one of made) rmSync(one, { recursive: true, force: true });
  }
  return failed;
}

async function smoke(
  { run, project, node, packages }: Machine,
  version: string,
  postgres: TestPostgres,
  signed: boolean,
): Promise<void> {
  equal((await run('dbguard --version')).trim(), version, 'version');
  await run('dbguard version --verify', { code: signed ? 0 : 2 });
  const url = new URL(postgres.url());
  const password = decodeURIComponent(url.password);
  url.password = '';
  const config = {
    version: 1,
    bucket: `file:${project.inside}/transcripts`,
    connections: { shop: { url: String(url), environment: 'production' } },
    default_connection: 'shop',
  };
  writeFileSync(join(project.here, 'dbguard.yaml'), stringify(config));
  writeFileSync(join(project.here, 'client.mjs'), client(packages));
  const guarded = `PGPASSWORD='${password}' dbguard run --config dbguard.yaml -- ${node} client.mjs`;
  const told = JSON.parse((await run(guarded)).split('\n').find((line) => line.startsWith('{')) ?? '{}');
  equal(JSON.stringify(told), JSON.stringify({ all: 500, refused: '42501' }), 'guarded session');
  const listed = JSON.parse(await run('dbguard transcripts list --config dbguard.yaml --json'));
  // a key of this machine alone: not all proven
  await run(`dbguard transcripts verify --config dbguard.yaml ${listed.sid}`, { code: 2 });
  await recall(run);
}

/**
 * The statements of the recall table, one by one: each meets what the sources have for it. Of the dangerous ones nothing passes but what
 * would take away a protection that a session which began without it, as `explain` supposes, has not.
 */
async function recall(run: Machine['run']): Promise<void> {
  const all = recordings().flatMap(({ statements }) => statements);
  const input = all.map(({ sql }, id) => JSON.stringify({ id, sql })).join('\n');
  const answers = (await run('dbguard explain --stdin --json', { input }))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  equal(answers.length, all.length, 'answers');
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  for (const { id, decision } of answers) {
    const { sql, label } = all[id] ?? { sql: '' };
    const facts = resolveHandles(analyser.analyse(sql), new Registry());
    equal(decision, policy.decide(decisionInput(facts, { readsAndWrites: true })).decision, sql);
    if (decision === 'allow' && label === 'dangerous' && policy.decide(decisionInput(facts)).decision === 'allow')
      throw new Error(`passes: ${sql}`);
  }
}

const made: string[] = [];

async function withNpm(tarball: string): Promise<Machine> {
  const place = mkdtempSync(join(tmpdir(), 'dbguard-npm-'));
  made.push(place);
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  const plain = { cwd: place, extendEnv: false, env: { PATH: process.env.PATH ?? '', HOME: place } } as const;
  await execa('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', tarball], {
    cwd: place,
    env: { NODE_OPTIONS: '' },
  });
  const env = {
    ...plain.env,
    PATH: `${join(place, 'node_modules/.bin')}:${plain.env.PATH}`,
    DBGUARD_HOME: join(place, 'home'),
  };
  mkdirSync(join(place, 'home'), { mode: 0o700 });
  return {
    project: { inside: place, here: place },
    node: process.execPath,
    packages: join(repositoryRoot, 'node_modules'),
    run: (line, options) => shell('sh', ['-c', line], { ...plain, env }, options),
  };
}

async function clean(folder: string, artifact: string): Promise<Machine> {
  const root = mkdtempSync(join(tmpdir(), 'dbguard-clean-'));
  made.push(root);
  await execa('cp', ['-a', `${await cleanRoot()}/.`, root]);
  for (const one of ['artifact', 'client', 'project']) mkdirSync(join(root, one), { recursive: true });
  cpSync(join(folder, artifact), join(root, 'artifact', artifact));
  const inside = [
    ...[
      '--bind',
      root,
      '/',
      '--dev',
      '/dev',
      '--proc',
      '/proc',
      '--tmpfs',
      '/tmp',
      '--unshare-all',
      '--share-net',
      '--die-with-parent',
    ],
    ...['--ro-bind', join(repositoryRoot, 'node_modules'), '/client/node_modules', '--chdir', '/project'],
    ...['--clearenv', '--setenv', 'PATH', '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', '--setenv', 'HOME', '/root'],
  ];
  const run: Machine['run'] = (line, options) => shell('bwrap', [...inside, 'sh', '-c', line], {}, options);
  let home = '/usr/lib/dbguard';
  if (artifact.endsWith('.deb')) {
    await execa('chroot', [root, 'dpkg', '--install', `/artifact/${artifact}`]);
  } else {
    home = `/opt/${artifact.replace('.tar.gz', '')}`;
    await execa('tar', ['-xzf', join(folder, artifact), '-C', join(root, 'opt')]);
    symlinkSync(`${home}/bin/dbguard`, join(root, 'usr/local/bin/dbguard'));
  }
  return {
    run,
    project: { inside: '/project', here: join(root, 'project') },
    node: `${home}/runtime/bin/node`,
    packages: '/client/node_modules',
  };
}

async function cleanRoot(): Promise<string> {
  const kept = process.env.DBGUARD_CLEAN_ROOT;
  const root = kept ?? mkdtempSync(join(tmpdir(), 'dbguard-debian-'));
  if (kept === undefined) made.push(root);
  if (!existsSync(root) || readdirSync(root).length === 0) {
    // what the package depends on, and the other C library for its own archive (its runtime wants musl 1.2.4 or later)
    await execa('mmdebstrap', ['--variant=minbase', '--include=libstdc++6,ca-certificates,musl', 'trixie', root]);
  }
  return root;
}

async function shell(
  program: string,
  args: string[],
  how: object,
  { input, code = 0 }: { input?: string; code?: number } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await execa(program, args, {
    ...how,
    reject: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  if (exitCode !== code)
    throw new Error(`${args.at(-1)}: exit code ${exitCode}, not ${code}\n${stderr}\n${stdout}`.slice(0, 3000));
  return stdout;
}

function equal(found: unknown, wanted: unknown, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
}
