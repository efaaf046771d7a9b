/**
 * How things stand on this machine and in this folder, as far as files tell it: nothing asks a person, a keychain or the
 * network, nothing is made, and what is broken is told in its own place while the rest still speaks.
 */
import { resolve } from 'node:path';
import { DbguardError, messageOf } from '../../errors.js';
import { isLocal, subjectName } from '../../identity/subject-name.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { type LoadedConfig, loadConfigs, shortPath } from '../../io/files/config-files.js';
import { ownTranscripts, stateDirPaths } from '../../io/files/state-dirs.js';
import { readTrusted } from '../../io/files/trusted-repositories.js';
import { LOCAL_PROFILE } from '../../io/login/local-logins.js';
import { profileName } from '../../io/login/oidc-login-source.js';
import { workloadTokenSource } from '../../io/login/oidc-workload-token.js';
import { existingTokenStore } from '../../io/login/token-store.js';
import { type LastSession, lastSession } from '../../io/spool/previous-session-file.js';
import { listSpool } from '../../io/spool/recovery.js';
import { spoolRoot } from '../../io/spool/spool.js';
import { waitingSegments } from '../../io/spool/waiting.js';
import { type CombinedConfig, combineConfigs } from '../../policy/combine.js';
import { layersOf } from '../../policy/layer.js';
import type { Level } from '../../policy/levels.js';
import { judgeUses } from '../../policy/trust.js';
import { printable, singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { lookAtFound } from '../settings/found-connection.js';
import { signerSettings } from '../settings/identity-settings.js';
import { repositoryFile } from '../settings/trusted.js';
import { bucketUse, claimsOf, databaseUse } from '../settings/uses.js';
import { openQuestions, type Questions } from './open-questions.js';

/** A part of it, or why it cannot be told and what mends that. */
export type Told<T> = { readonly is: T } | { readonly problem: string; readonly fix: string };

export interface Who {
  /** `nobody`: a provider is configured, and nobody has logged in. `new`: the first run makes a key of this machine. */
  readonly state: 'logged-in' | 'ended' | 'local' | 'new' | 'nobody' | 'platform' | 'unknown';
  readonly name?: string;
  readonly level?: string;
  /** Milliseconds since 1970 UTC. */
  readonly until?: number;
  /** It goes on by itself. */
  readonly renewable?: boolean;
}

export interface Where {
  /** `found`: nobody has chosen one of them yet. */
  readonly state: 'configured' | 'chosen' | 'found' | 'none';
  readonly connection?: string;
  /** `app@db.example.com:5432, database shop` */
  readonly to?: string;
  readonly environment?: string;
  /** Where found ones stand: `DATABASE_URL in .env`. */
  readonly found?: readonly { readonly to: string; readonly says: string }[];
  /** Places of the repository's file that credentials would go to, and nobody has said that they may. */
  readonly untrusted: readonly string[];
}

export interface Status {
  /** The run that this process is part of. */
  readonly inside: string | undefined;
  readonly who: Told<Who>;
  readonly where: Told<Where>;
  readonly policy: Told<{
    readonly profiles: readonly string[];
    readonly files: readonly { readonly path: string; readonly level: Level }[];
  }>;
  readonly bucket: Told<{
    readonly location: string;
    readonly configured: boolean;
    /** Sessions with something that is only on this machine. */
    readonly waiting: number;
  }>;
  readonly last: Told<LastSession | undefined>;
  readonly questions: Told<Questions>;
}

/** @param named `--config` */
export async function lookAround(context: CommandContext, named: string | undefined): Promise<Status> {
  const { cwd, env } = context;
  const files = await told(() => {
    const sources = loadConfigs({ cwd, env, named });
    return { sources, config: combineConfigs(sources) };
  });
  const within = <T>(read: (files: Files) => T | Promise<T>): Promise<Told<T>> =>
    'is' in files ? told(() => read(files.is)) : Promise.resolve(files);
  const paths = stateDirPaths(env);
  const [who, where, policy, bucket, last, questions] = await Promise.all([
    within(({ config }) => whoSigns(config, env)),
    within((read) => whereTo(read, context)),
    within(({ sources }) => ({
      profiles: [...new Set(layersOf(sources, undefined).flatMap(({ profile }) => profile ?? []))],
      files: sources.map(({ path, level }) => ({ path: shortPath(path, cwd), level })),
    })),
    within(({ config }) => whereRecorded(config, env)),
    told(() => lastSession(spoolRoot(paths.state))),
    told(() => openQuestions(paths.runtime)),
  ]);
  return { inside: enclosingRun(env), who, where, policy, bucket, last, questions };
}

interface Files {
  readonly sources: readonly LoadedConfig[];
  readonly config: CombinedConfig;
}

async function told<T>(read: () => T | Promise<T>): Promise<Told<T>> {
  try {
    return { is: await read() };
  } catch (error) {
    const fix = error instanceof DbguardError ? error.hint : undefined;
    return { problem: singleLine(messageOf(error), 600), fix: fix ?? 'dbguard doctor' };
  }
}

async function whoSigns(config: CombinedConfig, env: NodeJS.ProcessEnv): Promise<Who> {
  const settings = signerSettings(config, env);
  if (settings !== undefined && workloadTokenSource(env) !== undefined) return { state: 'platform' };
  const login = await existingTokenStore(env)?.glance(settings === undefined ? LOCAL_PROFILE : profileName(settings));
  if (login === 'unknown') return { state: 'unknown' };
  if (login === undefined) return { state: settings === undefined ? 'new' : 'nobody' };
  const { subject, level, expiresAt, renewable } = login;
  const name = printable(subjectName(subject), 120);
  if (isLocal(subject)) return { state: 'local', name, level };
  const over = expiresAt <= Date.now() && !renewable;
  return { state: over ? 'ended' : 'logged-in', name, level, until: expiresAt, renewable };
}

async function whereTo({ sources, config }: Files, context: CommandContext): Promise<Where> {
  const { env } = context;
  if (config.connections.size === 0) return foundHere(context);
  const { name, connection } = chooseConnection({ config }, undefined);
  const { to } = await databaseUse(name, connection, upstreamOf(connection, name, env));
  const file = repositoryFile(sources);
  const unsaid =
    file === undefined
      ? []
      : judgeUses(await claimsOf(sources, env), sources, readTrusted(env, file)).unsaid.map(({ about }) => about);
  return {
    state: 'configured',
    connection: singleLine(name, 60),
    to,
    environment: connection.environment,
    untrusted: [...new Set(unsaid)].map((about) => singleLine(about, 80)),
  };
}

async function foundHere(context: CommandContext): Promise<Where> {
  const { found, said } = await lookAtFound(context);
  const all = said === undefined ? found : [said];
  if (all.length === 0) return { state: 'none', untrusted: [] };
  return {
    state: said === undefined ? 'found' : 'chosen',
    found: all.map(({ to, says }) => ({ to: singleLine(to, 200), says: singleLine(says, 160) })),
    untrusted: [],
  };
}

function whereRecorded({ bucket }: CombinedConfig, env: NodeJS.ProcessEnv) {
  const where = bucket ?? ownTranscripts(env);
  const location = where.kind === 's3' ? bucketUse(where, 'read').to : `file:${resolve(where.path)}`;
  const waiting = listSpool(stateDirPaths(env).state).filter(({ folder }) => waitingSegments(folder).length > 0);
  return { location, configured: bucket !== undefined, waiting: waiting.length };
}
