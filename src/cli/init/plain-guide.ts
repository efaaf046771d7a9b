/** The same questions as lines, for terminals that cannot move their cursor and for whoever has them read out. */
import { passwordHidden } from '../../ui/guide/guide-rows.js';
import type { Question, TrialLine } from '../../ui/guide/guide-state.js';
import type { CommandContext } from '../command.js';
import { Questions } from '../print/questions.js';
import { folded } from '../print/text.js';
import { type Asking, type QuestionId, questionsFor } from './questions.js';
import { leftIt } from './trial.js';
import { type Trying, tryAnswer } from './trials.js';

const back = '<';

/** Resolves to what was answered; rejects with `usage` when the input ends. */
export async function plainGuide(
  context: Pick<CommandContext, 'stdin' | 'stdout' | 'env'>,
  trying: Trying,
  asked: Omit<Asking, 'passwordWanted' | 'screen'>,
): Promise<Readonly<Record<string, string>>> {
  const { stdin, stdout, env } = context;
  const say = (text: string, indent = 2): void => void stdout.write(`${folded(text, stdout, indent)}\n`);
  const questions = new Questions(stdin, stdout, env);
  let answers: Readonly<Record<string, string>> = {};
  let passwordWanted = false;
  try {
    say(
      `Each answer is tried at once. Enter takes what stands in brackets, - none; ${back} goes back; Ctrl-C leaves, and nothing is written.`,
    );
    for (let at = 0; ; ) {
      const list = questionsFor(answers, { ...asked, passwordWanted, screen: false });
      const question = list[at];
      if (question === undefined) return answers;
      say(`\n${question.title}. ${question.about}`, 0);
      for (const { value, text } of question.choices ?? [])
        say(`  ${value}: ${text}`.replace(`  ${value}: ${value}`, `  ${value}`), 4);
      const typed = await ask(questions, question, answers[question.id], say);
      if (typed === undefined) throw leftIt();
      if (typed === back) {
        at = Math.max(0, at - 1);
        continue;
      }
      const next = { ...answers, [question.id]: typed };
      const outcome = await tryAnswer(question.id as QuestionId, next, trying, {
        signal: new AbortController().signal,
        say: (line) => say(lineText(line), 4),
        onEnter: () => undefined,
      });
      for (const line of outcome.lines) say(lineText(line), 4);
      if (outcome.refused === true) continue;
      if (question.id === 'database' || outcome.passwordWanted) passwordWanted = outcome.passwordWanted === true;
      answers = next;
      const failed = outcome.lines.some(({ state }) => state === 'failure');
      if (
        !failed ||
        outcome.passwordWanted ||
        (await questions.ask('Keep it anyway? [y/N] '))?.toLowerCase().startsWith('y')
      )
        at++;
    }
  } finally {
    questions.close();
  }
}

/** Undefined where the input ended; a choice that is none is asked again. */
async function ask(
  questions: Questions,
  question: Question,
  before: string | undefined,
  say: (text: string) => void,
): Promise<string | undefined> {
  const { kind, choices = [], initial } = question;
  const standing = before ?? initial ?? (kind === 'choice' ? choices[0]?.value : undefined) ?? '';
  const shown = standing === '' ? '' : kind === 'secret' ? ' [given]' : ` [${passwordHidden(standing)}]`;
  for (;;) {
    const typed = await questions.ask(`${question.title}:${shown} `);
    if (typed === undefined || typed === back) return typed;
    const answer = typed === '' ? standing : typed === '-' ? '' : typed;
    if (kind !== 'choice' || choices.some(({ value }) => value === answer)) return answer;
    say(`  x one of ${choices.map(({ value }) => value).join(', ')}`);
  }
}

function lineText({ state, text, fix }: TrialLine): string {
  const mark = { note: '-', ok: 'ok', warning: '!', failure: 'x' }[state];
  return `  ${mark} ${text}${fix === undefined || state === 'ok' ? '' : `\n    ${fix}`}`;
}
