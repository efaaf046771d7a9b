/** Claude Code as it is published, installed once for this machine, talking to a scripted model only. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const version = '2.1.197';

/** The folder that has `claude` in it; undefined, with the reason printed by the test, where it cannot be had. */
export async function installClaudeCode(): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  const cache = existsSync(join(homedir(), '.cache')) ? join(homedir(), '.cache') : tmpdir();
  const folder = join(cache, `dbguard-test-claude-code-${version}`);
  const bin = join(folder, 'node_modules', '.bin');
  if (await answers(bin)) return bin;
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, reject: false, timeout: 60_000 } as const;
  const name = `@anthropic-ai/claude-code@${version}`;
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, name], options);
  // npm asks before it runs a package's own script
  const script = join(folder, 'node_modules', '@anthropic-ai', 'claude-code', 'install.cjs');
  if (existsSync(script)) await execa(process.execPath, [script], options);
  return (await answers(bin)) ? bin : undefined;
}

async function answers(bin: string): Promise<boolean> {
  const program = join(bin, 'claude');
  if (!existsSync(program)) return false;
  const { stdout } = await execa(program, ['--version'], { reject: false, timeout: 20_000, env: { HOME: tmpdir() } });
  return String(stdout).startsWith(version);
}

/** No account, no other address than the scripted model, nothing to confirm. */
export function claudeEnvironment(modelUrl: string, bin: string): Record<string, string> {
  return {
    PATH: `${bin}:${process.env.PATH}`,
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: 'sk-ant-dummy-00000000000000000000',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // it refuses --dangerously-skip-permissions to root elsewhere
    IS_SANDBOX: '1',
  };
}

/** What a person has clicked through on the first start of its TUI. */
export function skipOnboarding(home: string, project: string): void {
  const settings = {
    hasCompletedOnboarding: true,
    theme: 'dark',
    customApiKeyResponses: { approved: ['00000000000000000000'], rejected: [] },
    bypassPermissionsModeAccepted: true,
    projects: { [project]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
  };
  writeFileSync(join(home, '.claude.json'), JSON.stringify(settings), { mode: 0o600 });
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'settings.json'), JSON.stringify({ skipDangerousModePermissionPrompt: true }));
}
