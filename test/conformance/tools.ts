/**
 * ORMs, migration tools and job queues in front of `dbguard proxy` with the guarded profile: what applications do all
 * day, and what these tools do at every start when there is nothing to do, runs without a question.
 *
 * They are no dependencies of ours: FOLDER has them in node_modules, and a Python environment in `py`.
 *   npm install drizzle-orm typeorm reflect-metadata sequelize knex kysely @mikro-orm/postgresql @mikro-orm/migrations
 *     pg-boss graphile-worker pg pg-query-stream prisma @prisma/client @prisma/adapter-pg
 *   python3 -m venv py && py/bin/pip install django 'psycopg[binary]' psycopg2-binary asyncpg 'sqlalchemy[asyncio]' alembic
 *   apt-get install ruby-activerecord ruby-pg
 *   in `java`: the jars of hibernate-core, flyway-database-postgresql, liquibase-core, jooq and postgresql
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Only } from '../helpers/only.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { type ProxyProcess, startProxyProcess } from '../helpers/proxy-process.js';
import { repositoryRoot } from '../helpers/repository.js';

/** `prepare` makes the schema, directly; the others run through dbguard. */
const steps = ['prepare', 'again', 'use', 'again'] as const;
const programs = join(repositoryRoot, 'test/conformance/tools');

interface Tool {
  readonly name: string;
  missing(folder: string): Promise<string | undefined>;
  command(folder: string): readonly string[];
}

const tools: readonly Tool[] = [
  ...[
    'drizzle-orm',
    'typeorm',
    'sequelize',
    'knex',
    'kysely',
    '@mikro-orm/postgresql',
    'pg-boss',
    'graphile-worker',
    '@prisma/client',
  ].map(inNode),
  ...['Hibernate', 'Flyway', 'Liquibase', 'jOOQ'].map(inJava),
  inPython('Django', 'django_orm.py', 'django'),
  inPython('SQLAlchemy and Alembic', 'sqlalchemy_alembic.py', 'alembic'),
  {
    name: 'ActiveRecord',
    missing: async () =>
      (await works('ruby', ['-e', "require 'active_record'; require 'pg'"])) ? undefined : 'activerecord',
    command: () => ['ruby', join(programs, 'active_record.rb')],
  },
];

function inNode(name: string): Tool {
  const file = name.replace(/^@|-orm$/g, '').replace(/\/.*$/, '');
  return {
    name,
    missing: async (folder) => (existsSync(join(folder, 'node_modules', name, 'package.json')) ? undefined : name),
    command: (folder) => [process.execPath, join(programs, 'run.mjs'), join(folder, 'package.json'), `${file}.mjs`],
  };
}

function inPython(name: string, file: string, module: string): Tool {
  const python = (folder: string): string => join(folder, 'py/bin/python');
  return {
    name,
    missing: async (folder) => ((await works(python(folder), ['-c', `import ${module}`])) ? undefined : module),
    command: (folder) => [python(folder), join(programs, file)],
  };
}

function inJava(name: string): Tool {
  const jars = (folder: string): string => join(folder, 'java');
  return {
    name,
    missing: async (folder) => (existsSync(jars(folder)) && (await works('java', ['-version'])) ? undefined : 'java'),
    command: (folder) => ['java', '-cp', join(jars(folder), '*'), join(programs, 'Jvm.java'), name.toLowerCase()],
  };
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  return (await execa(program, args, { reject: false })).exitCode === 0;
}

/** With `--as-role`: the application's login may only read, and each other statement runs as the role for which a person gave it a time. */
const entry = {
  ...{ name: 'app', role: 'app_owner', tables: ['*'], for: '2h' },
  effects: ['read', 'insert', 'update', 'delete', 'truncate', 'create', 'alter', 'drop', 'maintenance'],
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
  then: 'ask',
};

async function startAsRole(server: TestPostgres): Promise<ProxyProcess> {
  await server.query(`CREATE ROLE app_owner LOGIN PASSWORD 'owner'; CREATE ROLE app_agent LOGIN NOINHERIT PASSWORD 'agent';
    GRANT app_owner TO app_agent WITH INHERIT FALSE, SET TRUE; GRANT pg_read_all_data TO app_agent WITH INHERIT TRUE`);
  const guarded = await startProxyProcess(server, {
    policy: { profile: 'guarded' },
    config: { access: [entry] },
    connection: { url: server.url(undefined, 'app_agent', 'agent') },
  });
  const env = { DBGUARD_CONFIG: join(guarded.workspace.project, 'dbguard.yaml') };
  const { exitCode, stderr } = await guarded.workspace.dbguard(['access', 'grant', 'app'], { env });
  if (exitCode !== 0) throw new Error(String(stderr));
  return guarded;
}

/**
 * @param asRole through a login that has to take a role on for each statement
 * @returns how many steps of the tools did not end well
 */
export async function tryTools(folder: string, chosen: Only, asRole: boolean): Promise<number> {
  const server = await startPostgres({ version: 18 });
  const guarded = asRole
    ? await startAsRole(server)
    : await startProxyProcess(server, { policy: { profile: 'guarded' } });
  let failed = 0;
  try {
    for (const [index, tool] of tools.entries()) {
      if (!chosen(tool.name)) continue;
      const missing = await tool.missing(folder);
      if (missing !== undefined) {
        console.log(`  ${tool.name}: skipped, there is no ${missing}`);
        continue;
      }
      const database = `tool_${index}`;
      await server.query(`CREATE DATABASE ${database} ${asRole ? 'OWNER app_owner' : ''}`);
      const direct = asRole ? server.url(database, 'app_owner', 'owner') : server.url(database);
      for (const step of steps) {
        const url = step === 'prepare' ? direct : guarded.url(database);
        const [program = '', ...args] = tool.command(folder);
        const env = asRole ? { AS_ROLE: '1' } : {};
        const { exitCode, all } = await execa(program, [...args, step, url], { reject: false, all: true, env });
        if (exitCode === 0) continue;
        failed++;
        console.log(`  ${tool.name}, ${step}: ${reason(all)}`);
      }
      console.log(`  ${tool.name}: done`);
    }
  } finally {
    await guarded.stop();
    await server.stop();
  }
  return failed;
}

function reason(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const told = lines.filter((line) => /dbguard|Asked because|error/i.test(line));
  return (told.length > 0 ? told.slice(0, 6) : lines.slice(-6)).map((line) => line.slice(0, 300)).join('\n    ');
}
