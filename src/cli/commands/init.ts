/** `dbguard init`: writes a commented dbguard.yaml. Asks only at a terminal, and only when no flag was given. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { configFileName, refuseToReplace, shortPath, writeConfigFile } from '../../io/files/config-files.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { parseConninfo } from '../../io/upstream/conninfo.js';
import { parseConfig } from '../../policy/config.js';
import { profileNames } from '../../policy/profiles.js';
import { environments } from '../../policy/read-connection.js';
import type { CommandContext } from '../command.js';
import { askForAnswers } from '../init/questions.js';
import { configTemplate, type InitAnswers } from '../init/template.js';
import { oneOfOption, textOption } from '../options.js';
import { remember } from '../settings/trusted.js';
import { claimsOf } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';
import { installedFile } from '../version.js';

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
  const answers = asks ? await askForAnswers(context, given, (one) => void textOf(one)) : given;
  const { text, hadPassword } = textOf(answers);
  writeConfigFile(path, text, { replace, mode: forUser ? 0o600 : 0o644 });
  if (!forUser) await trustWhatIsWritten(context, path, text);
  context.stdout.write(`Wrote ${shown}.\n`);
  if (hadPassword) context.stderr.write('The password in the URL was left out; put it into ~/.pgpass or PGPASSWORD.\n');
  context.stdout.write(nextSteps(answers, shown));
  return 0;
}

/** Who wrote the answers has said where things go, unless it was an agent. A change by hand asks again, once. */
async function trustWhatIsWritten(context: CommandContext, path: string, text: string): Promise<void> {
  if (enclosingRun(context.env) !== undefined) return;
  const written = { level: 'repository', config: parseConfig(text, configFileName) } as const;
  try {
    remember(context, path, await claimsOf([written], context.env));
  } catch (error) {
    if (!(error instanceof DbguardError)) throw error; // a service that is not there yet: the first run asks
  }
}

/** The file's text; throws for answers that make no valid file, before anything is written. */
function textOf(answers: InitAnswers): { readonly text: string; readonly hadPassword: boolean } {
  const { url, hadPassword } = withoutPassword(answers.url);
  const text = configTemplate({ ...answers, url });
  checkUnwritten(text);
  if (url !== undefined) parseConninfo(url);
  return { text, hadPassword };
}

/** A line of a file that was never written would send people to look for it. */
function checkUnwritten(text: string): void {
  try {
    parseConfig(text, configFileName);
  } catch (error) {
    if (!(error instanceof DbguardError) || error.code !== 'config-invalid') throw error;
    const message = error.message.replace(/^\s*\S+:\d+:\d+: /gm, '');
    throw new DbguardError('usage', message, { hint: 'Nothing was written: give dbguard init another answer.' });
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
    schema: schemaPlace(forUser, cwd),
  };
}

/** Beside the project, where it is installed there; a path of this machine belongs into nobody's file but their own. */
function schemaPlace(forUser: boolean, cwd: string): string | undefined {
  const file = 'dist/bin/dbguard.schema.json';
  if (forUser) return fileURLToPath(installedFile(file));
  const local = `./node_modules/dbguard/${file}`;
  return existsSync(join(cwd, local)) ? local : undefined;
}

function hasAnswers(options: OptionsOf<'init'>): boolean {
  return Object.keys(options).some((name) => name !== 'user' && name !== 'force');
}

/** A password must not get into a file that is meant to be committed. */
function withoutPassword(url: string | undefined): { url: string | undefined; hadPassword: boolean } {
  if (url === undefined) return { url, hadPassword: false };
  const bare = url
    .replace(/^(\w+:\/\/[^/@?#]*?):[^@/]*@/, '$1@')
    .replace(/([?&])password=[^&#]*&?/i, '$1')
    .replace(/[?&]$/, '')
    .replace(/(^|\s)password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)/gi, '$1')
    .trim();
  return { url: bare, hadPassword: bare !== url.trim() };
}

function nextSteps(answers: InitAnswers, file: string): string {
  const missing = [
    ...(answers.url === undefined && answers.service === undefined ? ['where the database is'] : []),
    ...(answers.issuer === undefined ? ['who logs you in (identity)'] : []),
    ...(answers.bucket === undefined ? ['where transcripts go (bucket)'] : []),
  ];
  const edit = missing.length === 0 || answers.forUser ? [] : [`edit ${file}: ${missing.join(', ')}`];
  const steps = [...edit, 'dbguard login', 'dbguard explain "DELETE FROM orders"', 'dbguard run -- psql'];
  return `Next:\n${steps.map((step) => `  ${step}\n`).join('')}`;
}
