/**
 * What a person is told beside what the database said of a statement's impact: what went before, what a run that was
 * undone did, as whom it runs; and what of it counts as shown.
 *
 * What must not live here: questions to the database, decisions.
 */
import type { Ruling } from '../../policy/decision.js';
import type { Extents } from '../../policy/mass-changes.js';
import { counted } from '../../words.js';
import type { Candidate } from '../candidate.js';
import { massEffects } from '../row-counts/mass-effects.js';
import { type RunRows, runWords, type ShownRows } from '../row-counts/shown-rows.js';
import type { Impact } from './asker.js';

/** Its sentence says what the session has changed before. */
export function isMass({ rule }: Ruling): boolean {
  return rule.startsWith('builtin:') && rule.endsWith('-mass');
}

/** What went before it, what it did when it was undone, or that what it does will not be. */
export function aboutRows(
  impact: Impact,
  earlier: number,
  undone: RunRows | undefined,
  unwatched: string | undefined,
): Impact {
  const lines = [...impact.lines];
  if (earlier > 0)
    lines.push({
      label: 'before',
      text: `${counted(earlier, 'row')} that this session has deleted or changed`,
      severity: 'info',
    });
  if (undone) {
    const text = `changed or deleted ${runWords(undone)}, and was undone`;
    lines.unshift({ label: 'real run', text, severity: 'danger' });
  }
  if (unwatched !== undefined) {
    lines.push({ label: 'real run', text: `not undone if it does more than this: ${unwatched}`, severity: 'warning' });
  }
  return { ...impact, lines };
}

/**
 * Nothing is planned as the role either: what the planner says to a login without rights is no news.
 * @param undone it has run: its rows are known
 */
export function aboutRole(impact: Impact, { as, few }: Ruling, undone: RunRows | undefined): Impact {
  if (!as) return impact;
  const lines = impact.lines.filter(({ label, text }) => label !== 'rows' || !text.startsWith('no estimate'));
  const counted =
    few && undone === undefined ? ['rows', 'counted as it runs; many are undone, and asked about again'] : undefined;
  const more = [
    ['runs as', `${as.role}, for this statement only`],
    ...(as.reason ? [['reason', as.reason]] : []),
    counted,
  ];
  return {
    ...impact,
    lines: [
      ...more.flatMap((one) =>
        one ? [{ label: one[0] ?? '', text: one[1] ?? '', severity: 'warning' as const }] : [],
      ),
      ...lines,
    ],
  };
}

/** Undefined where nobody could tell, or where all rows were spoken of. */
export function estimatedFor(
  { facts }: Candidate,
  extents: Extents | undefined,
  impact: Impact,
): ShownRows | undefined {
  const mass = massEffects(facts);
  if (mass.length === 0 || mass.some(({ effect }) => !effect.bounded)) return undefined;
  let rows: number | undefined;
  for (const { effect } of mass) {
    const found = extents?.get(effect)?.rows?.number ?? effect.mostRows;
    if (found === undefined) {
      rows = impact.estimatedRows;
      break;
    }
    rows = (rows ?? 0) + found;
  }
  return rows === undefined ? undefined : { how: 'estimated', rows, tables: undefined };
}
