/**
 * From answers to the text of dbguard.yaml. What is no valid file is told before anything is written, in words that name no
 * line of it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DbguardError } from '../../errors.js';
import { configFileName } from '../../io/files/config-files.js';
import { parseConninfo } from '../../io/upstream/conninfo.js';
import { type Config, parseConfig } from '../../policy/config.js';
import type { Offer } from '../settings/found-connection.js';
import { installedFile } from '../version.js';
import { configTemplate, type InitAnswers } from './template.js';

export interface InitFile {
  readonly text: string;
  readonly config: Config;
  /** One stood in the URL, and was left out. */
  readonly hadPassword: boolean;
}

/** Throws `usage` for answers that make no valid file. */
export function fileOf(answers: InitAnswers): InitFile {
  const { url, hadPassword } = withoutPassword(answers.url);
  const text = configTemplate({ ...answers, url });
  const config = unwritten(text);
  if (url !== undefined) parseConninfo(url);
  return { text, config, hadPassword };
}

/** A line of a file that was never written would send people to look for it. */
function unwritten(text: string): Config {
  try {
    return parseConfig(text, configFileName);
  } catch (error) {
    if (!(error instanceof DbguardError) || error.code !== 'config-invalid') throw error;
    const message = error.message.replace(/^\s*\S+:\d+:\d+: /gm, '');
    throw new DbguardError('usage', message, { hint: 'Nothing was written: give dbguard init another answer.' });
  }
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

export const schemaFileName = 'dbguard.schema.json';

/** Beside the project, where it is installed there; a path of this machine belongs into nobody's file but their own. */
export function schemaPlace(forUser: boolean, cwd: string): string | undefined {
  const file = `dist/bin/${schemaFileName}`;
  if (forUser) return fileURLToPath(installedFile(file));
  const local = `./node_modules/dbguard/${file}`;
  return existsSync(join(cwd, local)) ? local : undefined;
}

/** What the guide's answers say beside what the command line said. */
export function guidedAnswers(
  given: InitAnswers,
  answers: Readonly<Record<string, string>>,
  found: readonly Offer[],
): InitAnswers {
  const said = (id: string): string | undefined => answers[id]?.trim() || undefined;
  const database = said('database');
  const one = foundBy(database, found);
  return {
    ...given,
    ...(answers.write === 'schema' ? { schema: `./${schemaFileName}` } : {}),
    url: one === undefined ? database : undefined,
    foundIn: one?.found.says,
    environment: said('environment') ?? given.environment,
    issuer: said('issuer'),
    clientId: said('issuer') === undefined ? undefined : said('client'),
    bucket: said('bucket'),
  };
}

const fromWord = 'from ';

/** What the guide's field holds for a find. */
export function foundAnswer({ found }: Offer): string {
  return `${fromWord}${found.sources[0] ?? ''}`;
}

export function foundBy(answer: string | undefined, found: readonly Offer[]): Offer | undefined {
  if (answer === undefined || !answer.startsWith(fromWord)) return undefined;
  return found.find((one) => foundAnswer(one) === answer);
}
