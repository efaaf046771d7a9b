/** The questions of `dbguard init` at a terminal. A wrong answer is told and asked again. */
import { DbguardError } from '../../errors.js';
import { environments } from '../../policy/read-connection.js';
import type { CommandContext } from '../command.js';
import { Questions } from '../print/questions.js';
import type { InitAnswers } from './template.js';

/** `check` throws DbguardError for answers that cannot be written. Rejects with `usage` when the input ends. */
export async function askForAnswers(
  { stdin, stdout }: Pick<CommandContext, 'stdin' | 'stdout'>,
  given: InitAnswers,
  check: (answers: InitAnswers) => void,
): Promise<InitAnswers> {
  const questions = new Questions(stdin, stdout);
  const ask = async (answers: InitAnswers, key: keyof InitAnswers, text: string): Promise<InitAnswers> => {
    for (;;) {
      const answer = await questions.ask(text);
      if (answer === undefined) throw interrupted();
      if (answer === '') return answers;
      const next = { ...answers, [key]: answer };
      const problem = problemOf(() => check(next));
      if (problem === undefined) return next;
      // the question says which answer it is: its key in the file helps nobody
      stdout.write(`  ${problem.replace(/^[\w.]+: /, '')}\n`);
    }
  };
  try {
    stdout.write('Leave an answer empty to keep the default, or to fill it in later.\n');
    let answers = await ask(given, 'url', 'Database, as psql takes it (postgresql://user@host/database): ');
    answers = await ask(answers, 'environment', `What is it for (${environments.join(', ')})? [production] `);
    answers = await ask(answers, 'issuer', 'OpenID Connect issuer (https://...): ');
    if (answers.issuer !== undefined) answers = await ask(answers, 'clientId', 'Client id at that issuer: [dbguard] ');
    return await ask(answers, 'bucket', 'Bucket for signed transcripts (s3://bucket/prefix or file:./folder): ');
  } finally {
    questions.close();
  }
}

/** Ctrl+C, Ctrl+D, or the end of the input; 130 as after SIGINT. */
function interrupted(): DbguardError {
  return new DbguardError('usage', 'nothing was written', {
    hint: 'Run dbguard init again, or give flags.',
    exitCode: 130,
  });
}

function problemOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof DbguardError) return error.message;
    throw error;
  }
}
