/** Figures as one table: what each way reaches, and dbguard as a ratio to the others, above 1 where it is better. */
import type { Goal, Measure } from './measures.js';
import type { BenchTarget } from './targets.js';

const nameWidth = 42;
const cellWidth = 13;

export function header(targets: readonly BenchTarget[]): string {
  const ratios = targets.slice(0, -1).map(({ name }) => `/ ${name}`);
  return `${''.padEnd(nameWidth)}${[...targets.map(({ name }) => name), ...ratios].map(cell).join('')}`;
}

export function row(
  measure: Measure,
  targets: readonly BenchTarget[],
  figures: readonly (number | undefined)[],
): string {
  const guarded = figures[targets.length - 1];
  const ratios = figures.slice(0, -1).map((figure) => {
    if (figure === undefined || guarded === undefined) return '-';
    return (measure.more ? guarded / figure : figure / guarded).toFixed(2);
  });
  const shown = figures.map((figure) => (figure === undefined ? '-' : `${format(figure)} ${measure.unit}`));
  const goals = (measure.goals ?? []).flatMap((goal) => judged(goal, measure, targets, figures) ?? []);
  return `${measure.name.padEnd(nameWidth)}${[...shown, ...ratios].map(cell).join('')}${goals.join('')}`;
}

/** Undefined where there is nothing to compare with, as without pgbouncer. */
function judged(
  goal: Goal,
  { more, unit }: Measure,
  targets: readonly BenchTarget[],
  figures: readonly (number | undefined)[],
): string | undefined {
  const guarded = figures[targets.length - 1];
  const other = 'figure' in goal ? undefined : 'of' in goal ? goal.of : goal.above;
  const base = other === undefined ? 0 : figures[targets.findIndex(({ name }) => name === other)];
  if (guarded === undefined || base === undefined) return undefined;
  const [reached, wanted, words] =
    'of' in goal
      ? [guarded / base, goal.ratio, `${goal.ratio} of ${goal.of}`]
      : 'above' in goal
        ? [guarded - base, goal.by, `${goal.above} + ${goal.by} ${unit}`]
        : [guarded, goal.figure, `${goal.figure} ${unit}`];
  const holds = more ? reached >= wanted : reached <= wanted;
  return `   ${more ? '>=' : '<='} ${words}: ${holds ? 'yes' : 'NO'}`;
}

export function median(figures: readonly number[]): number | undefined {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function cell(text: string): string {
  return text.padStart(cellWidth);
}

function format(figure: number): string {
  return figure < 10 ? figure.toFixed(1) : figure.toFixed(0);
}
