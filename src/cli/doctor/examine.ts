/** Runs the checks at once, each within its time; what one throws is its own line. */
import { DbguardError, messageOf } from '../../errors.js';
import { loadConfigs } from '../../io/files/config-files.js';
import { combineConfigs } from '../../policy/combine.js';
import type { CommandContext } from '../command.js';
import { type Check, failure, type Line, type World } from './check.js';

export interface Examined {
  readonly name: string;
  readonly lines: readonly Line[];
}

/** Longer than a server or provider that works takes. */
const LIMIT_MS = 15_000;

export async function examine(
  context: CommandContext,
  checks: readonly Check[],
  named: string | undefined,
  limitMs = LIMIT_MS,
): Promise<Examined[]> {
  const settings = once(() => {
    const sources = loadConfigs({ cwd: context.cwd, env: context.env, named });
    return { sources, config: combineConfigs(sources) };
  });
  return Promise.all(
    checks.map(async (check) => ({
      name: check.name,
      lines: await within(check, { context, named, settings }, limitMs),
    })),
  );
}

async function within(check: Check, world: Omit<World, 'signal'>, limitMs: number): Promise<readonly Line[]> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Line[]>((resolve) => {
    timer = setTimeout(() => {
      over.abort();
      resolve([
        failure(
          `no answer within ${limitMs / 1000} s`,
          'Try again; if it stays so, look at the network and at what answers there.',
        ),
      ]);
    }, limitMs);
  });
  // what is thrown after its time is nobody's
  const work = check.run({ ...world, signal: over.signal }).catch((error: unknown) => [lineOf(error)]);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function lineOf(error: unknown): Line {
  if (error instanceof DbguardError) return failure(error.message, error.hint);
  return failure(`could not be looked at: ${messageOf(error)}`);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    if (made === undefined) {
      try {
        made = { value: make() };
      } catch (error) {
        made = { error };
      }
    }
    if ('error' in made) throw made.error;
    return made.value;
  };
}
