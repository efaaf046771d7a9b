import t from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { profilesAsMarkdown } from '../../src/policy/profiles.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { play, recordings, type Score } from './corpus.js';
import { input } from './facts.js';
import { readmeTable } from './readme-tables.js';

/** Share of safe statements that may prompt, over all recordings. */
const maxFalsePrompts = 0.01;

t.test('guarded: nothing dangerous passes, and ordinary work does not prompt', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  const scores = recordings().map((recording) => ({ ...play(recording, analyser, policy), name: recording.name }));
  for (const { name, missed } of scores) t.strictSame(missed, [], `${name}: recall`);
  const safe = sum(scores.map((one) => one.safe));
  const dangerous = sum(scores.map((one) => one.dangerous));
  const prompts = scores.flatMap((one) => one.falsePrompts.map((sql) => `${one.name}: ${sql.slice(0, 200)}`));
  t.comment(`${dangerous} dangerous, ${safe} safe, ${prompts.length} false prompts`);
  t.ok(safe >= 600 && dangerous >= 300, 'the corpus is large enough to mean something');
  t.ok(prompts.length / safe < maxFalsePrompts, prompts.join('\n'));
});

t.test('read-only: nothing dangerous passes there either', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([], { profile: 'read-only' });
  for (const recording of recordings()) t.strictSame(play(recording, analyser, policy).missed, [], recording.name);
});

t.test('observe: nothing but the settings that name the session is stopped', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([], { profile: 'observe' });
  for (const { name, statements } of recordings()) {
    const stopped = statements
      .map(({ sql }) => policy.judge(input(analyser.analyse(sql))))
      .flatMap((judged) => judged.filter((one) => one.decision !== 'allow'))
      .filter((one) => one.category !== 'session-identity');
    t.strictSame(stopped, [], name);
  }
});

t.test('the tables of README.md are current', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  const scores = recordings().map((recording) => ({ ...play(recording, analyser, policy), name: recording.name }));
  const renew = 'to renew: UPDATE_README=1 npx tap run test/policy/corpus.test.ts';
  t.equal(readmeTable('profiles', profilesAsMarkdown()), profilesAsMarkdown(), renew);
  t.equal(readmeTable('recall', scoresAsMarkdown(scores)), scoresAsMarkdown(scores), renew);
});

function scoresAsMarkdown(scores: readonly (Score & { readonly name: string })[]): string {
  const total = {
    name: '**all**',
    safe: sum(scores.map((one) => one.safe)),
    dangerous: sum(scores.map((one) => one.dangerous)),
    falsePrompts: scores.flatMap((one) => one.falsePrompts),
    missed: scores.flatMap((one) => one.missed),
  };
  const rows = [...scores, total].map(({ name, safe, dangerous, falsePrompts, missed }) => {
    const stopped = dangerous - missed.length;
    return `| ${name} | ${dangerous} | ${dangerous === 0 ? '' : stopped} | ${safe} | ${safe === 0 ? '' : falsePrompts.length} |`;
  });
  const rates = `| | | ${percent(total.dangerous - total.missed.length, total.dangerous)} | | ${percent(total.falsePrompts.length, total.safe)} |`;
  return [
    '| recorded from | dangerous | of them stopped | ordinary | of them asked about |',
    '|---|---|---|---|---|',
    ...rows,
    rates,
  ].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
