/** Where each command of the table is: loaded only when it is run. */
import type { CommandModule } from './command.js';
import type { CommandPath, OptionsOf } from './table.js';

export const modules: { readonly [Path in CommandPath]: () => Promise<CommandModule<OptionsOf<Path>>> } = {
  init: () => import('./commands/init.js'),
  trust: () => import('./commands/trust.js'),
  login: () => import('./commands/login.js'),
  mark: () => import('./commands/mark.js'),
  logout: () => import('./commands/logout.js'),
  whoami: () => import('./commands/whoami.js'),
  run: () => import('./commands/run.js'),
  proxy: () => import('./commands/proxy.js'),
  approvals: () => import('./commands/approvals.js'),
  approve: () => import('./commands/approve.js'),
  deny: () => import('./commands/deny.js'),
  explain: () => import('./commands/explain.js'),
  'policy test': () => import('./commands/policy-test.js'),
  'policy lint': () => import('./commands/policy-lint.js'),
  'mask check': () => import('./commands/mask-check.js'),
  'mask suggest': () => import('./commands/mask-suggest.js'),
  'transcripts list': () => import('./commands/transcripts-list.js'),
  'transcripts show': () => import('./commands/transcripts-show.js'),
  'transcripts verify': () => import('./commands/transcripts-verify.js'),
  'transcripts check-bucket': () => import('./commands/transcripts-check-bucket.js'),
  'transcripts search': () => import('./commands/transcripts-search.js'),
  'transcripts redact': () => import('./commands/transcripts-redact.js'),
  'transcripts reconcile': () => import('./commands/transcripts-reconcile.js'),
  'transcripts archive-keys': () => import('./commands/transcripts-archive-keys.js'),
  'transcripts revoke-key': () => import('./commands/transcripts-revoke-key.js'),
  upload: () => import('./commands/upload.js'),
  completions: () => import('./commands/completions.js'),
  instructions: () => import('./commands/instructions.js'),
};
