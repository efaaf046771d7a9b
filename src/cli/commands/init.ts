/** `dbguard init`: writes a commented dbguard.yaml. The guided way at a terminal, and only when no flag was given. */
import { dirname, join } from 'node:path';
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { configFileName, refuseToReplace, shortPath, writeConfigFile } from '../../io/files/config-files.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { ttyStreams } from '../../io/terminal/terminal.js';
import type { Config } from '../../policy/config.js';
import { profileNames } from '../../policy/profiles.js';
import { environments } from '../../policy/read-connection.js';
import { configSchema } from '../../policy/schema.js';
import type { CommandContext } from '../command.js';
import { fileOf, foundBy, guidedAnswers, schemaFileName, schemaPlace } from '../init/answers.js';
import type { InitAnswers } from '../init/template.js';
import { oneOfOption, textOption } from '../options.js';
import { folded } from '../print/text.js';
import { type Offer, offersHere, rememberOffer } from '../settings/found-connection.js';
import { remember } from '../settings/trusted.js';
import { claimsOf } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'init'>,
): Promise<number> {
  const forUser = options.user === true;
  const replace = options.force === true;
  const given = answersFrom(options, forUser, context.cwd);
  const path = forUser ? join(stateDirs(context.env).config, configFileName) : join(context.cwd, configFileName);
  const shown = shortPath(path, context.cwd);
  if (!replace) refuseToReplace(path, shown);
  const asks = context.stdin.isTTY === true && context.stdout.isTTY === true && !hasAnswers(options);
  const { answers, offer } = asks ? await guided(context, given, shown) : { answers: given };
  const { text, config, hadPassword } = fileOf(answers);
  writeConfigFile(path, text, { replace, mode: forUser ? 0o600 : 0o644 });
  if (answers.schema === `./${schemaFileName}`) writeSchema(dirname(path));
  if (enclosingRun(context.env) === undefined) {
    if (!forUser) await trustWhatIsWritten(context, path, config);
    if (offer !== undefined) rememberOffer(context, offer);
  }
  const say = (line: string): void => void context.stdout.write(`${folded(line, context.stdout, 4)}\n`);
  say(`Wrote ${shown}.`);
  if (hadPassword) {
    const left = 'The password in the URL was left out; put it into ~/.pgpass or PGPASSWORD.';
    context.stderr.write(`${folded(left, context.stderr)}\n`);
  }
  say('Next:');
  for (const step of await nextSteps(context, answers, shown)) say(`  ${step}`);
  return 0;
}

/** Made anew from the readers of this very version. */
function writeSchema(folder: string): void {
  const text = `${JSON.stringify(configSchema(), undefined, 1)}\n`;
  writeConfigFile(join(folder, schemaFileName), text, { replace: true, mode: 0o644 });
}

/** On a screen of its own, or line by line where a terminal has no cursor to move. */
async function guided(
  context: CommandContext,
  given: InitAnswers,
  file: string,
): Promise<{ readonly answers: InitAnswers; readonly offer?: Offer | undefined }> {
  const found = given.forUser ? [] : await offersHere(context);
  const streams = context.env.TERM === 'dumb' ? undefined : ttyStreams(context);
  const trying = { context, given, found };
  const asked = { found, file, hasSchema: given.schema !== undefined };
  const said =
    streams !== undefined && 'setRawMode' in streams.stdin
      ? await (await import('../init/guide.js')).guide(streams, trying, asked)
      : await (await import('../init/plain-guide.js')).plainGuide(context, trying, asked);
  return { answers: guidedAnswers(given, said, found), offer: foundBy(said.database, found) };
}

/** Who wrote the answers has said where things go, unless it was an agent. A change by hand asks again, once. */
async function trustWhatIsWritten(context: CommandContext, path: string, config: Config): Promise<void> {
  const written = { level: 'repository', config } as const;
  try {
    remember(context, path, await claimsOf([written], context.env));
  } catch (error) {
    if (!(error instanceof DbguardError)) throw error; // a service that is not there yet: the first run asks
  }
}

function answersFrom(options: OptionsOf<'init'>, forUser: boolean, cwd: string): InitAnswers {
  const url = textOption(options, 'url');
  const service = textOption(options, 'service');
  if (url !== undefined && service !== undefined) {
    throw new DbguardError('usage', 'give --url or --service, not both');
  }
  return {
    name: textOption(options, 'name') ?? 'main',
    url,
    service,
    environment: oneOfOption(options, 'environment', environments) ?? 'production',
    issuer: textOption(options, 'issuer'),
    clientId: textOption(options, 'clientId'),
    bucket: textOption(options, 'bucket'),
    profile: oneOfOption(options, 'profile', profileNames),
    forUser,
    schema: options.schema === true ? `./${schemaFileName}` : schemaPlace(forUser, cwd),
  };
}

function hasAnswers(options: OptionsOf<'init'>): boolean {
  return Object.keys(options).some((name) => name !== 'user' && name !== 'force' && name !== 'schema');
}

/** What is missing still, and what comes then. */
async function nextSteps(context: CommandContext, answers: InitAnswers, file: string): Promise<string[]> {
  const { url, service, foundIn, issuer, bucket, forUser } = answers;
  const missing = [
    ...([url, service, foundIn].every((one) => one === undefined) ? ['where the database is'] : []),
    ...(issuer === undefined ? ['who logs you in (identity)'] : []),
    ...(bucket === undefined ? ['where transcripts go (bucket)'] : []),
  ];
  return [
    ...(missing.length === 0 || forUser ? [] : [`edit ${file}: ${missing.join(', ')}`]),
    ...(issuer === undefined || (await loggedIn(context)) ? [] : ['dbguard login']),
    'dbguard doctor',
    'dbguard explain "DELETE FROM orders"',
    'dbguard run -- psql',
  ];
}

async function loggedIn(context: CommandContext): Promise<boolean> {
  const [{ findIdentitySettings }, { existingTokenStore }, { profileName }] = await Promise.all([
    import('../settings/identity-settings.js'),
    import('../../io/login/token-store.js'),
    import('../../io/login/oidc-login-source.js'),
  ]);
  try {
    const settings = await findIdentitySettings(context, {});
    return settings !== undefined && (await existingTokenStore(context.env)?.get(profileName(settings))) !== undefined;
  } catch {
    return false;
  }
}
