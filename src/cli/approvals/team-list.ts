/** `dbguard approvals --team`, and an answer by id: the whole request is printed before it is signed. */
import type { Team, TeamRequest } from '../../approval/second-person/team.js';
import { printable } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { openTeam, requestLines } from './open-team.js';

export async function listTeam(context: CommandContext, json: boolean): Promise<number> {
  const team = await openTeam(context);
  const open = await team.waiting();
  if (json) {
    const said = open.map(({ id, preview, request, approvals, answered, obstacle }) => ({
      ...{ id, preview, approvals, answered, obstacle },
      askedAt: request.claims.at,
      expiresAt: request.claims.expiresAt,
      min: request.claims.demands.min,
      subject: request.claims.who.subject,
    }));
    context.stdout.write(`${JSON.stringify(said, undefined, 2)}\n`);
    return 0;
  }
  warnOfRefused(context, team);
  if (open.length === 0) {
    context.stdout.write('Nothing of your team waits for a second person.\n');
    return 0;
  }
  for (const one of open) context.stdout.write(`${requestLines(one, Date.now()).join('\n    ')}\n\n`);
  context.stdout.write('Answer with: dbguard approve ID, or dbguard deny ID --reason "why"\n');
  return 0;
}

function warnOfRefused({ stderr }: CommandContext, team: Team): void {
  for (const { id, why } of team.refused)
    stderr.write(`dbguard: request ${id.slice(-8)} is not to be believed: ${printable(why, 200)}\n`);
}

export async function answerTeam(
  context: CommandContext,
  id: string,
  decision: 'allow' | 'deny',
  reason?: string,
): Promise<number> {
  const team = await openTeam(context);
  const found = await team.find(id);
  context.stdout.write(`${requestLines(found, Date.now()).join('\n    ')}\n`);
  await team.answer(found, decision, reason);
  context.stdout.write(`${await outcome(team, found, decision)}\n`);
  return 0;
}

/** What has become of it by an answer, in a line. */
export async function outcome(
  team: Team,
  { id, request, preview }: TeamRequest,
  decision: 'allow' | 'deny',
): Promise<string> {
  const { min } = request.claims.demands;
  if (decision === 'deny') return `denied: ${preview.headline}`;
  // a bucket that is away now has the answer all the same
  const now = min === 1 ? [] : await team.waiting().catch(() => []);
  const approvals = now.find((one) => one.id === id)?.approvals ?? min;
  const more = approvals < min ? ` by ${approvals} of ${min} who have to; it waits for the others` : '';
  return `approved${more}: ${preview.headline}`;
}
