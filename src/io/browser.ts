import { spawn } from 'node:child_process';

/** The program that opens a page here, or undefined where a browser would have no screen. */
export function browserProgram(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): readonly string[] | undefined {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  const hasScreen = env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME || env.BROWSER;
  return hasScreen ? ['xdg-open'] : undefined;
}

/**
 * Opens the page without a shell and without waiting. Resolves to false when nothing here can. Only web addresses get
 * here (`parseWebPage`); as a URL's text they start with https: or http:, never with a dash.
 */
export function openBrowser(page: URL, env: NodeJS.ProcessEnv): Promise<boolean> {
  const [program, ...args] = browserProgram(env, process.platform) ?? [];
  if (program === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(program, [...args, page.href], { env, detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
