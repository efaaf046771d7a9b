/** Tries an answer at once. What a trial throws is its own line; only what cannot be written must be answered anew. */
import { DbguardError } from '../../errors.js';
import { loadConfigs } from '../../io/files/config-files.js';
import { combineConfigs, type PolicySource } from '../../policy/combine.js';
import type { CommandContext } from '../command.js';
import { failure } from '../doctor/check.js';
import { lineOf } from '../doctor/examine.js';
import { providerLines } from '../doctor/provider-lines.js';
import type { Offer } from '../settings/found-connection.js';
import { settingsFrom } from '../settings/identity-settings.js';
import { fileOf, foundBy, guidedAnswers } from './answers.js';
import { practise } from './practice.js';
import type { QuestionId } from './questions.js';
import type { InitAnswers } from './template.js';
import type { Outcome, Trial } from './trial.js';
import { tryBucket } from './try-bucket.js';
import { tryDatabase } from './try-database.js';
import { tryLogin } from './try-login.js';

export interface Trying {
  readonly context: CommandContext;
  /** From the command line. */
  readonly given: InitAnswers;
  readonly found: readonly Offer[];
}

/** @param answers those that were taken before, and this one. Resolves, whatever happens, unless the fault is ours. */
export async function tryAnswer(
  id: QuestionId,
  answers: Readonly<Record<string, string>>,
  trying: Trying,
  trial: Trial,
): Promise<Outcome> {
  try {
    fileOf(guidedAnswers(trying.given, answers, trying.found));
  } catch (error) {
    if (!(error instanceof DbguardError)) throw error;
    // the question says which answer it is: its key in the file helps nobody
    return { refused: true, lines: [failure(error.message.replace(/^[\w.]+: /, ''))] };
  }
  try {
    return await attempt(id, answers, trying, trial);
  } catch (error) {
    return { lines: [lineOf(error)] };
  }
}

async function attempt(
  id: QuestionId,
  answers: Readonly<Record<string, string>>,
  { context, given, found }: Trying,
  trial: Trial,
): Promise<Outcome> {
  const value = answers[id]?.trim() ?? '';
  const file = (): PolicySource[] => sourcesWith(context, guidedAnswers(given, answers, found));
  switch (id) {
    case 'database':
    case 'password':
      return tryDatabase(
        context,
        guidedAnswers(given, answers, found),
        answers,
        foundBy(answers.database, found),
        trial,
      );
    case 'issuer': {
      if (value === '') return { lines: [] };
      const { connectIssuer } = await import('../../io/login/oidc-login-source.js');
      return { lines: providerLines(await connectIssuer({ issuer: value, clientId: 'dbguard' }, trial.signal)) };
    }
    case 'login': {
      const settings = settingsFrom(combineConfigs(file()), context.env);
      if (value === 'later' || settings === undefined) return { lines: [] };
      return { lines: await tryLogin(context, settings, value === 'browser', trial) };
    }
    case 'bucket': {
      const config = combineConfigs(file());
      return { lines: await tryBucket(context, value, settingsFrom(config, context.env)) };
    }
    case 'practice':
      return value === 'now' && trial.surface !== undefined
        ? { lines: await practise(file(), guidedAnswers(given, answers, found), trial.surface) }
        : { lines: [] };
    case 'environment':
    case 'client':
    case 'write':
      return { lines: [] };
  }
}

/** The files that would count, with the one that is not written yet in its place. */
function sourcesWith({ cwd, env }: CommandContext, answers: InitAnswers): PolicySource[] {
  const level = answers.forUser ? 'user' : 'repository';
  const others = loadConfigs({ cwd, env }).filter((one) => one.level !== level);
  return [...others, { level, config: fileOf(answers).config }];
}
