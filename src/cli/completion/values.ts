/**
 * What may stand at a place of the command line now: for shells, which ask at every Tab. From files of this machine alone, at
 * once, and never an error.
 *
 * Names in a repository's file are its writer's: shells expand what they are given (bash's `compgen -W` runs `$(...)` in it), so
 * that only words go out in which no shell sees anything.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfigs } from '../../io/files/config-files.js';
import { ownTranscripts, stateDirPaths } from '../../io/files/state-dirs.js';
import { existingTokenStore } from '../../io/login/token-store.js';
import { lastSession } from '../../io/spool/previous-session-file.js';
import { listSpool } from '../../io/spool/recovery.js';
import { spoolRoot } from '../../io/spool/spool.js';
import { combineConfigs } from '../../policy/combine.js';
import type { CommandContext } from '../command.js';
import type { LiveValues } from '../completion-words.js';
import { openQuestions } from '../status/open-questions.js';

const MOST = 200;
const plainWord = /^[A-Za-z0-9][\w.@:-]{0,99}$/;

export async function liveValues(what: LiveValues, context: CommandContext): Promise<string[]> {
  try {
    const words = await readers[what](context);
    return [...new Set(words)].filter((word) => plainWord.test(word)).slice(0, MOST);
  } catch {
    return [];
  }
}

const readers: Readonly<
  Record<LiveValues, (context: CommandContext) => Promise<readonly string[]> | readonly string[]>
> = {
  connections: (context) => [...settings(context).connections.keys()],
  logins: ({ env }) => existingTokenStore(env)?.profiles() ?? [],
  questions: async ({ env }) => (await openQuestions(stateDirPaths(env).runtime)).open.map(({ id }) => id),
  sessions,
};

function settings({ cwd, env }: CommandContext) {
  return combineConfigs(loadConfigs({ cwd, env }));
}

/** The latest first: those of this machine, and those of a bucket that is a folder. */
function sessions(context: CommandContext): string[] {
  const { state } = stateDirPaths(context.env);
  const bucket = settings(context).bucket ?? ownTranscripts(context.env);
  const kept = bucket.kind === 'file' ? idsBelow(join(bucket.path, 'v1')) : [];
  const last = lastSession(spoolRoot(state));
  const all = [...kept, ...listSpool(state).map(({ sid }) => sid), ...(last === undefined ? [] : [last.sid])];
  return all.sort().reverse();
}

function idsBelow(folder: string): string[] {
  return namesIn(folder).flatMap((subject) =>
    namesIn(join(folder, subject)).filter((name) => /^[0-9a-z]{26}$/.test(name)),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
