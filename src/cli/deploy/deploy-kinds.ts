/** Names alone: every start of dbguard reads them for its command line. */
export const deployKinds = ['compose', 'kubernetes', 'helm-values', 'systemd', 'github', 'gitlab', 'shell'] as const;
export type DeployKind = (typeof deployKinds)[number];
