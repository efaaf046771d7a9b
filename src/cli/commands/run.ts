/** `dbguard run -- COMMAND ARGS`: any agent or client, with nothing but the way through the proxy. */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import { endChild } from '../../io/terminal/child.js';
import { findProgram } from '../../io/terminal/child-program.js';
import { ttyStreams } from '../../io/terminal/terminal.js';
import { sandboxNetworks } from '../../policy/read-sandbox.js';
import { childEnvironment } from '../../run/environment.js';
import { secretsIn, withoutSecrets } from '../../sql/secrets/secrets.js';
import type { CommandContext } from '../command.js';
import { tellAgent } from '../guard/agent-settings.js';
import { openApprovals } from '../guard/approvals-desk.js';
import { FenceMaker } from '../guard/fence.js';
import { openGuard } from '../guard/guard.js';
import { guardFlags } from '../guard/guard-options.js';
import { startGuardedChild } from '../guard/guarded-child.js';
import {
  banner,
  type Finished,
  finishGuard,
  markLine,
  nothingCame,
  recordingLine,
  TroubleReport,
} from '../guard/session-words.js';
import { countDown, givable } from '../guard/window-words.js';
import { oneOfOption } from '../options.js';
import { folded } from '../print/text.js';
import type { OptionsOf } from '../table.js';

/** Statements of a child that has ended get this long, milliseconds. */
const graceMs = 1000;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'run'>,
): Promise<number> {
  const [command, ...childArgs] = args;
  if (command === undefined) {
    throw new DbguardError('usage', 'no command to run', { hint: 'Say what to run: dbguard run -- psql' });
  }
  // before anything is opened: a typo should cost nothing
  findProgram(command, context.env, context.cwd);
  const line = [command, ...childArgs].join(' ');
  // psql -c "ALTER ROLE ... PASSWORD ..."
  const agent = withoutSecrets(line, secretsIn(line, false));
  const trouble = new TroubleReport(context.stderr);
  const approvals = await openApprovals(context.env);
  const fences = new FenceMaker(context, {
    sandbox: options.sandbox,
    network: oneOfOption(options, 'network', sandboxNetworks),
  });
  let endSession = (): void => {};
  const guard = await openGuard(context, {
    ...guardFlags(options),
    agent,
    listen: { host: '127.0.0.1', port: 0 },
    password: randomBytes(24).toString('base64url'),
    asker: approvals.asker,
    endSession: () => endSession(),
    onSettings: (sandbox) => fences.begin(sandbox),
    onTrouble: (error) => trouble.report(error),
  });
  let code: number;
  let finished: Finished | undefined;
  try {
    await approvals.listen(
      { sid: guard.sid, agent, subject: guard.subject, connection: guard.connection },
      guard.windows,
    );
    const { env: unfenced, withheld } = childEnvironment(context.env, guard.address, guard.real, guard.sid);
    const asked = { command: [command, ...childArgs] as const, env: unfenced };
    const told = tellAgent(context, asked, guard, fences);
    const how = { words: agent, asker: approvals.asker, endSession: () => endSession() };
    const { fence, env, words } = await fences.open(guard, {
      command: told.command,
      env: told.env,
      replaced: told.replaced,
      ...how,
    });
    context.stderr.write(banner(guard, context.stderr, withheld));
    for (const line of [...told.words, ...(words === undefined ? [] : [words])]) context.stderr.write(`${line}\n`);
    const access = givable(guard.windows);
    if (access !== undefined) context.stderr.write(`${folded(access, context.stderr)}\n`);
    context.stderr.write(recordingLine(guard, ttyStreams(context) !== undefined, context.stderr));
    if (ttyStreams(context)) context.stderr.write(markLine(guard.mark, context.stderr));
    trouble.hold();
    const child = await startGuardedChild(context, {
      command,
      args: told.command.slice(1),
      env,
      fence,
      clock: approvals.clock,
      bell: approvals.bell,
      mark: guard.mark.words,
      desk: approvals.desk,
      record: () => guard.recording.terminal(),
    });
    endSession = () => endChild(child);
    approvals.attend(child.channels, child.session);
    countDown(guard.windows, child.note);
    code = await child.exited;
    trouble.release();
    if (guard.totals.statements === 0) {
      const lines = nothingCame(await guard.beside(), fence !== undefined, told.ownFence);
      for (const line of lines) context.stderr.write(`${folded(line, context.stderr)}\n`);
    }
  } finally {
    trouble.release();
    approvals.close();
    fences.close();
    finished = await finishGuard(context, guard, approvals, graceMs);
  }
  return finished.failed ?? code;
}
