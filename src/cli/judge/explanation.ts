/** A judged text, for programs and for people. */
import type { AccessOffer } from '../../policy/access-offer.js';
import type { Judgement } from '../../policy/engine.js';
import type { Target } from '../../sql/facts.js';
import { sanitise } from '../../untrusted-text.js';
import { type OutputStyle, wrap } from '../print/text.js';
import type { Judged } from './judging.js';

/** What `--json` prints. Field names are part of the command's contract. */
export function explanationJson({ facts, judgements, ruling }: Judged) {
  return {
    decision: ruling.decision,
    rule: ruling.rule,
    origin: ruling.origin,
    reason: ruling.reason,
    ...(ruling.pendingRows ? { pendingRows: true } : {}),
    ...(ruling.covers ? { covers: ruling.covers } : {}),
    ...(ruling.access ? { access: accessJson(ruling.access) } : {}),
    effects: judgements.map(effectJson),
    statements: facts.statements.map(({ command, start, end }) => ({ command, start, end })),
    ...(facts.unparseable ? { unparseable: facts.unparseable } : {}),
  };
}

function accessJson({ rules, obstacle }: AccessOffer) {
  return obstacle === undefined
    ? { roles: rules.map(({ name, role, decision }) => ({ name, role, decision })) }
    : { obstacle };
}

function accessLine({ rules, obstacle }: AccessOffer): string {
  const lacking = 'Where the login lacks what it needs';
  if (obstacle !== undefined) return `${lacking} it runs as no role, because ${obstacle}.`;
  const roles = rules.map(({ name, role, decision }) => `as ${role} (access ${name}: ${decision})`);
  return `${lacking} it can run ${roles.join(', or ')}.`;
}

function effectJson({ statement, effect, category, decision, rule }: Judgement) {
  return {
    statement,
    kind: effect.kind,
    targets: effect.targets.map((target) => ({ ...target })),
    bounded: effect.bounded,
    opaque: effect.opaque,
    detail: effect.detail,
    category,
    decision,
    rule,
  };
}

const shownLines = 20;

export function explanationText(
  sql: string,
  { judgements, ruling, facts }: Judged,
  policy: string,
  output: OutputStyle,
): string {
  const { text, warnings } = sanitise(sql.trim());
  const lines = text.split('\n');
  const shown = lines.slice(0, shownLines).map((line) => `  ${line}`);
  if (lines.length > shownLines) shown.push(output.style('dim', `  ... ${lines.length - shownLines} more lines`));
  const problem = facts.unparseable;
  return [
    ...shown,
    ...warnings.map((warning) => output.style('magenta', wrap(warning, output.width, 2))),
    '',
    `${output.decision(ruling.decision)}  ${wrap(sanitise(ruling.reason).text, output.width, ruling.decision.length + 2).trimStart()}`,
    output.style('dim', `${' '.repeat(ruling.decision.length + 2)}rule ${ruling.rule}, ${ruling.origin}`),
    ...(ruling.pendingRows ? ['  A rule depends on estimated rows: in a session the planner is asked first.'] : []),
    ...(ruling.covers ? ['  One approval counts for the rest of the transaction.'] : []),
    ...(ruling.access ? [wrap(`  ${sanitise(accessLine(ruling.access)).text}`, output.width, 2)] : []),
    ...(problem
      ? [`  ${sanitise(problem.message).text}${problem.position ? ` at character ${problem.position}` : ''}`]
      : []),
    '',
    ...effectTable(judgements, output),
    output.style('dim', `policy: ${policy}`),
  ].join('\n');
}

function effectTable(judgements: readonly Judgement[], output: OutputStyle): string[] {
  if (judgements.length === 0) return [];
  const rows = judgements.map((one) => ({
    kind: one.effect.kind,
    what: [one.effect.targets.map(targetName).join(', '), ...qualities(one)].filter((part) => part !== '').join('; '),
    decision: one.decision,
  }));
  const width = Math.max(...rows.map((row) => row.kind.length));
  const decisionWidth = Math.max(...rows.map((row) => row.decision.length));
  const lines = rows.map((row) => {
    const decision = output.decision(row.decision) + ' '.repeat(decisionWidth - row.decision.length);
    const what = wrap(sanitise(row.what).text, output.width, width + decisionWidth + 6).trimStart();
    return `  ${decision}  ${output.style('bold', row.kind)}${' '.repeat(width - row.kind.length)}  ${what}`.trimEnd();
  });
  return [...lines, ''];
}

function qualities({ effect, category }: Judgement): string[] {
  return [
    ...(category.endsWith('-unbounded') ? ['every row'] : []),
    ...(effect.opaque ? ['cannot be seen in the text'] : []),
    ...(effect.detail === undefined ? [] : [effect.detail]),
  ];
}

function targetName(target: Target): string {
  const name = target.schema === undefined ? target.name : `${target.schema}.${target.name}`;
  return target.type === 'table' ? name : `${target.type} ${name}`;
}
