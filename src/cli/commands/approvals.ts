/** `dbguard approvals`: what waits for a person, in a second terminal. On a terminal it stays and asks. */

import type { ApprovalsClock } from '../../approval/approvals.js';
import { DbguardError } from '../../errors.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { startTerminal, ttyStreams } from '../../io/terminal/terminal.js';
import { ApprovalLinks, type WaitingStatement } from '../approvals/links.js';
import type { CommandContext } from '../command.js';
import { notificationsFrom } from '../guard/notifications.js';
import { drawsSigns } from '../print/printable-output.js';
import { wantsColours } from '../print/text.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'approvals'>,
): Promise<number> {
  if (options.follow && !options.team) {
    throw new DbguardError('usage', '--follow goes with --team', { hint: 'dbguard approvals --team --follow' });
  }
  if (options.team) return team(context, options);
  const links = new ApprovalLinks(stateDirs(context.env).runtime);
  const streams = ttyStreams(context);
  try {
    if (options.json || options.list || !streams) return await list(links, context, options.json === true);
    const { bell } = notificationsFrom(context.env);
    const [{ follow }, { ownMark }] = await Promise.all([
      import('../approvals/follow.js'),
      import('../settings/own-mark.js'),
    ]);
    const mark = await ownMark(context);
    const terminal = startTerminal(streams, () => process.exit(0));
    try {
      return await follow(links, terminal, systemClock, {
        bell,
        colours: wantsColours(context.env),
        ascii: !drawsSigns(context.env),
        mark,
      });
    } finally {
      terminal.stop();
    }
  } finally {
    links.close();
  }
}

/** What a team waits for, through the bucket. */
async function team(context: CommandContext, options: OptionsOf<'approvals'>): Promise<number> {
  const streams = ttyStreams(context);
  if (!options.follow || options.json || options.list || !streams) {
    const { listTeam } = await import('../approvals/team-list.js');
    return listTeam(context, options.json === true);
  }
  const [{ followTeam }, { openTeam }, { ownMark }] = await Promise.all([
    import('../approvals/follow-team.js'),
    import('../approvals/open-team.js'),
    import('../settings/own-mark.js'),
  ]);
  const watched = await openTeam(context);
  const mark = await ownMark(context);
  const { bell } = notificationsFrom(context.env);
  const terminal = startTerminal(streams, () => process.exit(0));
  try {
    return await followTeam(watched, terminal, systemClock, {
      bell,
      colours: wantsColours(context.env),
      ascii: !drawsSigns(context.env),
      mark,
    });
  } finally {
    terminal.stop();
  }
}

const systemClock: ApprovalsClock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

async function list(links: ApprovalLinks, context: CommandContext, json: boolean): Promise<number> {
  await links.refresh(false);
  if (json) {
    context.stdout.write(`${JSON.stringify(links.waiting.map(asJson), undefined, 2)}\n`);
    return 0;
  }
  if (links.waiting.length === 0) {
    const runs = links.links.size;
    context.stdout.write(runs === 0 ? 'No dbguard run is active.\n' : 'Nothing waits for approval.\n');
    return 0;
  }
  for (const statement of links.waiting) context.stdout.write(`${asText(statement)}\n`);
  context.stdout.write('Answer with: dbguard approve ID, or dbguard deny ID --reason "why"\n');
  return 0;
}

function asText({ link, asked }: WaitingStatement): string {
  const { preview } = asked;
  const seconds = Math.max(0, Math.round((asked.expiresAt - Date.now()) / 1000));
  const rows = [
    `${asked.id}  ${preview.production ? 'PRODUCTION ' : ''}${preview.headline}  (${seconds} s left, run ${link.run.sid.slice(0, 8)})`,
    ...preview.facts.map(({ label, text }) => `${label}: ${text}`),
    ...preview.warnings.map((warning) => `! ${warning}`),
    ...preview.statement.split('\n').map((line) => `| ${line}`),
    ...preview.values,
    `why: ${preview.why}`,
    ...[...preview.dryRun, ...preview.impact].map(({ label, text }) => (label === '' ? text : `${label}: ${text}`)),
  ];
  return `${rows.join('\n    ')}\n`;
}

function asJson({ link, asked }: WaitingStatement): object {
  const { type: _type, ...statement } = asked;
  return { run: link.run, ...statement };
}
