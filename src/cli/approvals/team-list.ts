/** `dbguard approvals --team`, and an answer by id: the whole request is printed before it is signed. */
import type { Team } from '../../approval/second-person/team.js';
import { printable } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { openTeam, requestLines } from './open-team.js';

export async function listTeam(context: CommandContext, json: boolean): Promise<number> {
  const team = await openTeam(context);
  const open = await team.waiting();
  if (json) {
    const said = open.map(({ id, preview, request, answers, answered, obstacle }) => ({
      ...{ id, preview, answers, answered, obstacle },
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
  const { min } = found.request.claims.demands;
  const more = decision === 'allow' && min > 1 ? ` (${min} have to)` : '';
  context.stdout.write(`${decision === 'allow' ? 'approved' : 'denied'}${more}: ${found.preview.headline}\n`);
  return 0;
}
