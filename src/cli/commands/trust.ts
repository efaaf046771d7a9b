/** `dbguard trust`: the person's word that a repository's dbguard.yaml may lead their credentials where it says. */
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { loadConfigs } from '../../io/files/config-files.js';
import { forgetTrusted } from '../../io/files/trusted-repositories.js';
import { forgetServer } from '../../io/upstream/proofs-file.js';
import { explained } from '../../policy/trust.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { folded } from '../print/text.js';
import { askOrFail, canAsk, remember, repositoryFile } from '../settings/trusted.js';
import { claimsOf } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'trust'>,
): Promise<number> {
  refuseInside(context);
  const server = textOption(options, 'forgetServer');
  if (server !== undefined) {
    const had = forgetServer(context.env, server);
    context.stdout.write(had ? `Forgotten what ${server} has proved.\n` : `Nothing was known of ${server}.\n`);
    return 0;
  }
  const sources = loadConfigs({ cwd: context.cwd, env: withoutNamed(context.env) });
  const file = repositoryFile(sources);
  if (file === undefined) {
    throw new DbguardError('config-missing', 'there is no dbguard.yaml here or in a folder above', {
      hint: 'Go into the repository that you mean. Your own file needs no such word.',
    });
  }
  if (options.forget === true) {
    const had = forgetTrusted(context.env, file);
    context.stdout.write(had ? `Forgotten what you said of ${file}.\n` : `Nothing had been said of ${file}.\n`);
    return 0;
  }
  const claims = await claimsOf(sources, context.env);
  if (claims.length === 0) {
    context.stdout.write(`${file} leads nothing anywhere that your own files do not name.\n`);
    return 0;
  }
  if (options.yes === true) {
    for (const line of explained(claims)) context.stdout.write(`${folded(line, context.stdout, 2)}\n`);
  } else if (canAsk(context)) {
    await askOrFail(context, file, claims);
  } else {
    throw new DbguardError('usage', 'there is no terminal to ask at', {
      hint: `Read ${file}, then: dbguard trust --yes`,
    });
  }
  remember(context, file, claims);
  context.stdout.write(`${folded(`Trusted: ${file}, as long as this stays as it is.`, context.stdout)}\n`);
  return 0;
}

/** With the file named, nothing would be the repository's. */
function withoutNamed({ DBGUARD_CONFIG: _named, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/** The agent's word is not the person's. */
function refuseInside({ env }: CommandContext): void {
  const run = enclosingRun(env);
  if (run === undefined) return;
  throw new DbguardError('usage', `this is inside of a dbguard run (${run})`, {
    hint: 'Whether the repository is trusted is for the person to say, in a terminal of their own.',
  });
}
