/**
 * The connection of a project that has no dbguard.yaml: found where its own programs have it, shown, asked about once, and
 * remembered for the folder. Its password is read again each time, and stands in no file of ours.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError } from '../../errors.js';
import { configFileName, type LoadedConfig } from '../../io/files/config-files.js';
import { addTrusted, readTrusted } from '../../io/files/trusted-repositories.js';
import { findConnections, projectIn, userServiceFile } from '../../io/found/find.js';
import type { FoundConnection } from '../../io/found/found.js';
import { carriedTo } from '../../io/upstream/carried.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { combineConfigs } from '../../policy/combine.js';
import { parseConfig } from '../../policy/config.js';
import type { ConnectionConfig } from '../../policy/read-connection.js';
import { sha256 } from '../../sha256.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { Questions } from '../print/questions.js';
import { folded } from '../print/text.js';
import { upstreamOf } from './connection.js';
import { canAsk } from './trusted.js';

export interface ChosenConnection {
  /** As a file of the person's own would name it. */
  readonly source: LoadedConfig;
  /** The environment with its password. */
  readonly env: NodeJS.ProcessEnv;
  readonly says: string;
  /** Files of the project that hold the password. */
  readonly files: readonly string[];
}

/**
 * Undefined where the files name connections. Throws `config-missing` where nothing is found, `not-trusted` where nobody can
 * be asked which is meant, or nobody wants it.
 */
export async function chooseFound(
  context: CommandContext,
  written: readonly LoadedConfig[],
  { from }: { readonly from?: string | undefined },
): Promise<ChosenConnection | undefined> {
  const { env, cwd } = context;
  if (combineConfigs(written).connections.size > 0) {
    if (from === undefined) return undefined;
    throw new DbguardError('usage', '--from is for folders where no dbguard.yaml names a connection', {
      hint: 'Choose one of its connections with --connection.',
    });
  }
  const { found, others } = findConnections(projectIn(cwd, env), () => userServiceFile(env));
  if (found.length === 0) throw nothingFound(written, others);
  if (from !== undefined) return chosen(namedBy(from, found), context);
  const said = readTrusted(env, recordOf(cwd));
  const offered = await Promise.all(found.map((one) => offer(one, context)));
  const before = offered.find((one) => said.some(({ digest }) => digest === one.digest));
  if (before !== undefined) return chosen(before.found, context);
  if (!canAsk(context)) throw notChosen(found);
  const picked = await ask(context, offered);
  rememberOffer(context, picked);
  return chosen(picked.found, context);
}

/** What could be chosen here, and what was: asks nobody, remembers nothing. */
export async function lookAtFound(
  context: CommandContext,
): Promise<{ readonly found: readonly FoundConnection[]; readonly said?: FoundConnection }> {
  const { env, cwd } = context;
  const { found } = findConnections(projectIn(cwd, env), () => userServiceFile(env));
  const record = readTrusted(env, recordOf(cwd));
  if (record.length === 0) return { found };
  const offered = await Promise.all(found.map((one) => offer(one, context)));
  const before = offered.find((one) => record.some(({ digest }) => digest === one.digest));
  return before === undefined ? { found } : { found, said: before.found };
}

/** Everything that could be chosen in this folder, with what of the person's each would get: to be shown before one is. */
export async function offersHere(context: CommandContext): Promise<Offer[]> {
  const { found } = findConnections(projectIn(context.cwd, context.env), () => userServiceFile(context.env));
  return Promise.all(found.map((one) => offer(one, context)));
}

/** The person has chosen it: no run in this folder asks again. */
export function rememberOffer({ env, cwd }: CommandContext, { digest }: Offer): void {
  addTrusted(env, recordOf(cwd), [{ about: 'connection', digest }]);
}

/** Where it leads. @param password in place of the one that stands with it */
export function foundUpstream(found: FoundConnection, context: CommandContext, password?: string): UpstreamConfig {
  const { source, env } = chosen(password === undefined ? found : { ...found, password }, context);
  const [entry] = source.config.connections;
  if (entry === undefined) throw new RangeError('a find without a connection');
  return upstreamOf(entry[1], entry[0], env);
}

function chosen(found: FoundConnection, { cwd, env }: CommandContext): ChosenConnection {
  const { password, says, files } = found;
  return {
    source: { level: 'user', path: join(cwd, configFileName), config: parseConfig(asFile(found), says) },
    env: password === undefined ? env : { ...env, PGPASSWORD: password },
    says,
    files,
  };
}

/** JSON is YAML. A container of this machine is nobody's production. */
function asFile({ url, service, database, container }: FoundConnection): string {
  const name = database !== undefined && /^[a-z][\w-]{0,40}$/i.test(database) ? database : 'main';
  const connection = {
    ...(url === '' ? {} : { url }),
    ...(service === undefined ? {} : { service }),
    ...(container ? { environment: 'development' } : {}),
  };
  return JSON.stringify({ version: 1, connections: { [name]: connection } });
}

function namedBy(from: string, found: readonly FoundConnection[]): FoundConnection {
  const matches = found.filter(({ sources }) => sources.includes(from));
  const [first] = matches;
  if (first !== undefined) return first;
  throw new DbguardError('usage', `no connection was found in ${from}`, { hint: `Found: ${listed(found)}.` });
}

/** What was said of a folder, whatever it is reached by. */
function recordOf(cwd: string): string {
  return join(realpathSync(cwd), '(found connection)');
}

/** A find, and what saying yes to it means. */
export interface Offer {
  readonly found: FoundConnection;
  /** What of the person's goes there, beside what stands in the same place. */
  readonly carries: readonly string[];
  /** Another one is asked about anew. */
  readonly digest: string;
}

async function offer(found: FoundConnection, context: CommandContext): Promise<Offer> {
  const { url, service = '', password, takes } = found;
  const [entry] = chosen(found, context).source.config.connections;
  const use = entry && (await carriedBy(entry, password, context).catch(() => undefined));
  const said = ['dbguard-found-v2', url, service, use?.depends ?? '', ...takes.toSorted()];
  const taken = takes.map((name) => `the variable ${singleLine(name, 60)} of your environment`);
  return { found, carries: [...taken, ...(use?.carries ?? [])], digest: sha256(said.join('\n'), 'base64url') };
}

/** A password that stands with it is the project's own, as one in a connection string is. */
async function carriedBy(
  [name, connection]: [string, ConnectionConfig],
  password: string | undefined,
  { env }: CommandContext,
) {
  const own = password === undefined ? connection.url : `${connection.url ?? ''} password=own`;
  return carriedTo(upstreamOf(connection, name, env), own);
}

function line({ to, says }: FoundConnection): string {
  return `${singleLine(to, 120)} (${singleLine(says, 160)})`;
}

function listed(found: readonly FoundConnection[]): string {
  return found.map((one) => `${line(one)}, --from ${singleLine(one.sources[0] ?? '', 60)}`).join('; ');
}

async function ask(context: CommandContext, found: readonly Offer[]): Promise<Offer> {
  const { stdin, stderr, env } = context;
  const write = (text: string, indent = 0): void => void stderr.write(`${folded(text, stderr, indent)}\n`);
  write('No dbguard.yaml names a connection. Found here:');
  for (const [at, one] of found.entries()) {
    write(`  ${at + 1}  ${line(one.found)}`, 5);
    for (const what of one.carries) write(`     gets ${what}`, 10);
  }
  const several = found.length > 1;
  const question = several
    ? `\nWhich one is to be guarded? It is asked once for this folder. [1-${found.length}, or n for none] `
    : '\nGuard this one? It is asked once for this folder. [Y/n] ';
  const questions = new Questions(stdin, stderr, env);
  try {
    for (let tries = 0; tries < 3; tries++) {
      const answer = (await questions.ask(question))?.toLowerCase();
      if (answer === undefined || /^no?$/.test(answer)) break;
      const place = !several && /^(?:y(?:es)?)?$/.test(answer) ? 1 : Number(answer);
      const picked = Number.isInteger(place) ? found[place - 1] : undefined;
      if (picked !== undefined) return picked;
      write(several ? `Type a number from 1 to ${found.length}, or n.` : 'Type y or n.');
    }
  } finally {
    questions.close();
  }
  throw new DbguardError('not-trusted', 'no connection was chosen, and nothing was sent anywhere', {
    hint: 'Name another one with --from, or write it down: dbguard init',
  });
}

function nothingFound(written: readonly LoadedConfig[], others: readonly string[]): DbguardError {
  const where =
    written.length === 0 ? `no ${configFileName} here or in a folder above` : 'no connection in dbguard.yaml';
  const [other] = others;
  const more = other === undefined ? '' : `; ${singleLine(other, 160)}`;
  return new DbguardError('config-missing', `${where}, and none found in this project${more}`, {
    hint: 'Looked at DATABASE_URL, .env files, PG* variables, pg_service.conf, Prisma, Rails, Django and compose files. Set DATABASE_URL, write a file with "dbguard init", or name one with --config FILE.',
  });
}

function notChosen(found: readonly FoundConnection[]): DbguardError {
  return new DbguardError('not-trusted', `nobody has said yet which database is meant: ${listed(found)}`, {
    hint: 'Choose with --from, run it once at a terminal, or write a file with "dbguard init".',
  });
}
