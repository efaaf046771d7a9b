/** What `dbguard deploy` can write, each a pure function of the release. */
import { ciConfig } from './ci-config.js';
import { ciRecipe } from './ci-recipe.js';
import { composeFiles } from './compose.js';
import type { DeployKind } from './deploy-kinds.js';
import type { DeployedFile, DeployOptions } from './deployed-file.js';
import { githubFiles } from './github.js';
import { gitlabFiles } from './gitlab.js';
import { helmValues } from './helm-values.js';
import { kubernetesFiles } from './kubernetes.js';
import { systemdFiles } from './systemd.js';

export const deployments: Readonly<Record<DeployKind, (options: DeployOptions) => DeployedFile[]>> = {
  compose: composeFiles,
  kubernetes: kubernetesFiles,
  'helm-values': helmValues,
  systemd: systemdFiles,
  github: githubFiles,
  gitlab: gitlabFiles,
  shell: () => [ciRecipe(), { path: 'dbguard-ci.yaml', text: ciConfig({ issuer: 'https://ci.example.com' }) }],
};
