/** `dbguard proxy`: the same proxy without a child, for a GUI, a script or a test suite. Runs until SIGTERM. */
import { randomBytes } from 'node:crypto';
import { onEnding } from '../../io/terminal/signals.js';
import { loopbackUrl } from '../../run/environment.js';
import type { CommandContext } from '../command.js';
import { openApprovals } from '../guard/approvals-desk.js';
import { openGuard } from '../guard/guard.js';
import { guardFlags, listenAddress, readPasswordFile } from '../guard/guard-options.js';
import { banner, type Finished, finishGuard, recordingLine, TroubleReport } from '../guard/session-words.js';
import { givable, sayWindows } from '../guard/window-words.js';
import { textOption } from '../options.js';
import { folded } from '../print/text.js';
import type { OptionsOf } from '../table.js';

/** Statements under way when SIGTERM comes get this long, milliseconds. */
const graceMs = 30_000;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'proxy'>,
): Promise<number> {
  const file = textOption(options, 'passwordFile');
  const listen = listenAddress(textOption(options, 'listen'));
  const password = file === undefined ? randomBytes(24).toString('base64url') : readPasswordFile(file);
  const trouble = new TroubleReport(context.stderr);
  const approvals = await openApprovals(context.env);
  const stopped = stopSignal();
  const guard = await openGuard(context, {
    ...guardFlags(options),
    agent: 'dbguard proxy',
    listen,
    password,
    asker: approvals.asker,
    endSession: () => process.kill(process.pid, 'SIGTERM'),
    onTrouble: (error) => trouble.report(error),
  });
  let finished: Finished | undefined;
  try {
    const { sid, subject, connection } = guard;
    await approvals.listen({ sid, agent: 'dbguard proxy', subject, connection }, guard.windows);
    const { host, port, user, database, socketDir, further } = guard.address;
    const urlOf = (name: string): string =>
      loopbackUrl(guard.address, file === undefined ? { user: name, password } : { user: name });
    if (options.json === true) {
      const line = { host, port, user, database, socket: socketDir, session: sid };
      const all =
        further.length === 0 ? line : { ...line, users: further.map(({ user }) => ({ user, url: urlOf(user) })) };
      context.stdout.write(`${JSON.stringify(file === undefined ? { ...all, password } : all)}\n`);
    } else {
      const say = (line: string): unknown => context.stderr.write(`${folded(line, context.stderr)}\n`);
      context.stderr.write(banner(guard, context.stderr) + recordingLine(guard, false, context.stderr));
      const access = givable(guard.windows);
      if (access !== undefined) say(access);
      sayWindows(guard.windows, say);
      for (const name of [user, ...further.map(({ user }) => user)]) context.stdout.write(`${urlOf(name)}\n`);
      context.stderr.write(
        'dbguard: answer its prompts with "dbguard approvals" in another terminal; Ctrl-C ends it\n',
      );
    }
    await stopped;
  } finally {
    finished = await finishGuard(context, guard, approvals, graceMs);
    approvals.close();
  }
  return finished.failed ?? (finished.complete ? 0 : 1);
}

/** Whatever would end a program drains this one: no signal of the agent's leaves a session unsealed. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    onEnding(resolve, resolve);
  });
}
