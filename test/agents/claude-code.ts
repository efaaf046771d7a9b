/** Claude Code, talking to a scripted model only. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published } from './published.js';

export const claudeCode: Published = {
  name: '@anthropic-ai/claude-code',
  version: '2.1.197',
  program: 'claude',
  script: 'install.cjs',
};

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
