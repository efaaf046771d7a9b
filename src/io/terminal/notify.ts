/** A desktop notification for a person who looks elsewhere: notify-send or osascript, where there is one. */
import { execFile } from 'node:child_process';

/** Never throws, never waits. Both texts must be sanitised already: a notification is drawn by somebody else. */
export function notifyDesktop(title: string, body: string, env: Readonly<Record<string, string | undefined>>): void {
  const command = commandFor(title, body, env);
  if (!command) return;
  const [program, args] = command;
  // a machine without the program, or without a desktop, is fine
  execFile(program, args, { env: env as NodeJS.ProcessEnv, timeout: 5000 }, () => undefined).unref();
}

function commandFor(
  title: string,
  body: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly [string, string[]] | undefined {
  if (process.platform === 'darwin') {
    // as arguments, never as a part of the script
    const script = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];
    return ['osascript', [...script.flatMap((line) => ['-e', line]), title, body]];
  }
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return undefined;
  // the body is markup ("Desktop Notifications Specification")
  const markup = body.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return ['notify-send', ['--app-name=dbguard', '--urgency=critical', '--expire-time=60000', '--', title, markup]];
}
