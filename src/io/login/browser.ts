import { spawn } from 'node:child_process';

/**
 * The command that opens a page here, or undefined where a browser would have no screen. Like xdg-open we take the first
 * of BROWSER's commands (separated by colons, words by blanks), which may say with %s where the address goes.
 */
export function browserCommand(
  page: URL,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): readonly [string, ...string[]] | undefined {
  const [program, ...words] = env.BROWSER?.split(':')[0]?.trim().split(/\s+/) ?? [];
  if (program) {
    const args = words.map((word) => word.replaceAll('%s', page.href));
    return [program, ...args, ...(words.some((word) => word.includes('%s')) ? [] : [page.href])];
  }
  if (platform === 'darwin') return ['open', page.href];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', page.href];
  const hasScreen = env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME;
  return hasScreen ? ['xdg-open', page.href] : undefined;
}

/**
 * Opens the page without a shell and without waiting. Resolves to false when nothing here can. Only web addresses get
 * here (`parseWebPage`); as a URL's text they start with https: or http:, never with a dash.
 */
export function openBrowser(page: URL, env: NodeJS.ProcessEnv): Promise<boolean> {
  const [program, ...args] = browserCommand(page, env, process.platform) ?? [];
  if (program === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
