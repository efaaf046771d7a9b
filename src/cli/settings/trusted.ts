/**
 * Asks, once per repository and content, whether a repository's file may lead somewhere what is the person's. At a terminal
 * the question stands right there; elsewhere the error says which command answers it. An agent cannot answer: nothing that
 * descends from a run is asked.
 */
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import type { LoadedConfig } from '../../io/files/config-files.js';
import { addTrusted, readTrusted } from '../../io/files/trusted-repositories.js';
import { explained, judgeUses, notTrusted, type Trusted, type Unsaid, type Use } from '../../policy/trust.js';
import type { CommandContext } from '../command.js';
import { Questions } from '../print/questions.js';
import { folded } from '../print/text.js';

/** Throws `not-trusted` where the person has not said yes and cannot be asked, or says no. */
export async function ensureTrusted(
  context: CommandContext,
  sources: readonly LoadedConfig[],
  uses: readonly Use[],
): Promise<void> {
  const file = repositoryFile(sources);
  if (file === undefined) return;
  const { unsaid, first } = judgeUses(uses, sources, readTrusted(context.env, file));
  if (unsaid.length > 0) {
    if (!canAsk(context)) throw notTrusted(unsaid);
    await askOrFail(context, file, unsaid);
  }
  remember(context, file, [...first, ...unsaid]);
}

/** As `ensureTrusted`, in the middle of something: nobody is asked. */
export function refuseUntrusted(context: CommandContext, sources: readonly LoadedConfig[], uses: readonly Use[]): void {
  const file = repositoryFile(sources);
  if (file === undefined) return;
  const { unsaid } = judgeUses(uses, sources, readTrusted(context.env, file));
  if (unsaid.length > 0) throw notTrusted(unsaid);
}

export function remember({ env }: CommandContext, file: string, claims: readonly Trusted[]): void {
  addTrusted(
    env,
    file,
    claims.map(({ about, digest }) => ({ about, digest })),
  );
}

export function repositoryFile(sources: readonly LoadedConfig[]): string | undefined {
  return sources.find(({ level }) => level === 'repository')?.path;
}

export function canAsk({ stdin, stderr, env }: CommandContext): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && enclosingRun(env) === undefined;
}

/** Resolves when the answer is yes. */
export async function askOrFail(context: CommandContext, file: string, unsaid: readonly Unsaid[]): Promise<void> {
  const { stderr } = context;
  stderr.write(`${folded(`${file} says where this goes, and you have not said yet that it may:`, stderr)}\n\n`);
  for (const line of explained(unsaid)) stderr.write(`${folded(`  ${line}`, stderr, 4)}\n`);
  if (await yes(context, '\nIs that right? It is asked once, and again when it changes. [y/N] ')) return;
  throw new DbguardError('not-trusted', 'nothing was sent anywhere', {
    hint: `Correct ${file}, or put your own connection, bucket and identity into your own file: dbguard init --user`,
  });
}

async function yes({ stdin, stderr, env }: CommandContext, question: string): Promise<boolean> {
  const questions = new Questions(stdin, stderr, env);
  try {
    return /^y(?:es)?$/i.test((await questions.ask(question)) ?? '');
  } finally {
    questions.close();
  }
}
