/**
 * Programs in other languages, on the drivers that Debian ships, and two of PostgreSQL's own kind: direct and through
 * dbguard, the same lines on stdout and stderr and the same exit code.
 *
 *   apt-get install python3-psycopg python3-psycopg2 python3-asyncpg default-jdk-headless libpostgresql-jdbc-java sqlsmith
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { repositoryRoot } from '../helpers/repository.js';
import type { Target } from '../helpers/wire-client.js';

export interface Program {
  readonly name: string;
  /** Undefined when it can run here, else what is missing. */
  missing(): Promise<string | undefined>;
  run(target: Target): Promise<string[]>;
}

const folder = join(repositoryRoot, 'test/conformance/programs');
const jdbc = '/usr/share/java/postgresql.jar';
/** Debian's own, which has Debian's modules, whatever else is in the path. */
const python3 = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

export function programs(libpqPipeline: string | undefined): readonly Program[] {
  return [
    python('psycopg 3', 'psycopg_3.py', 'psycopg'),
    python('psycopg 2', 'psycopg_2.py', 'psycopg2'),
    python('asyncpg', 'with_asyncpg.py', 'asyncpg'),
    {
      name: 'JDBC',
      missing: async () => {
        if (!existsSync(jdbc)) return 'libpostgresql-jdbc-java';
        return (await works('javac', ['-version'])) ? undefined : 'a JDK';
      },
      run: (target) => run('java', ['-cp', jdbc, join(folder, 'Jdbc.java')], target),
    },
    {
      name: 'sqlsmith, 400 random statements',
      missing: async () => ((await works('sqlsmith', ['--version'])) ? undefined : 'sqlsmith'),
      run: async (target) => {
        const options = ['--seed=7', '--max-queries=400', '--verbose', '--dump-all-queries'];
        const lines = await run('sqlsmith', [`--target=${conninfo(target)}`, ...options], target);
        // some results are ages and sizes, which two servers do not share
        return lines.map((line) => (/\tERROR: /.test(line) ? line.replace(/\d+/g, '0') : line));
      },
    },
    ...(libpqPipeline === undefined ? [] : [pipelineTests(libpqPipeline)]),
  ];
}

function python(name: string, file: string, module: string): Program {
  return {
    name,
    missing: async () => ((await works(python3, ['-c', `import ${module}`])) ? undefined : `python3-${module}`),
    run: (target) => run(python3, [join(folder, file)], target),
  };
}

/** PostgreSQL's own tests of libpq's pipeline mode, from src/test/modules/libpq_pipeline of its source. */
function pipelineTests(program: string): Program {
  return {
    name: 'libpq_pipeline',
    missing: async () => (existsSync(program) ? undefined : program),
    run: async (target) => {
      const { stdout: names } = await execa(program, ['tests']);
      const lines: string[] = [];
      for (const name of names.split('\n')) {
        const said = await run(program, [name, conninfo(target)], target);
        // it prints its progress, which depends on how many bytes come at once
        lines.push(name, ...(name === 'uniqviol' ? said.slice(-1) : said));
      }
      return lines;
    },
  };
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  const { failed } = await execa(program, args, { reject: false, stdio: 'ignore' });
  return !failed;
}

function conninfo({ host, port, user, password, database }: Target): string {
  return `host=${host} port=${port} user=${user} password=${password} dbname=${database}`;
}

async function run(program: string, args: readonly string[], target: Target): Promise<string[]> {
  const { host, port, user, password, database, rootcert } = target;
  const { stdout, exitCode } = await execa('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...args], {
    reject: false,
    cwd: '/',
    extendEnv: false,
    timeout: 120_000,
    env: {
      PATH: process.env.PATH ?? '',
      ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database },
      DATABASE_URL: `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`,
      ...(rootcert !== undefined && { PGSSLMODE: 'verify-full', PGSSLROOTCERT: rootcert }),
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
    },
  });
  return [...stdout.split('\n').map((line) => line.replaceAll(String(port), 'PORT')), `exit ${exitCode}`];
}
