/**
 * Which platform a job runs on, and what it lacks when there is no token: a person's login is no help there.
 */
import { DbguardError } from '../../errors.js';

interface Platform {
  readonly name: string;
  readonly isIt: (env: NodeJS.ProcessEnv) => boolean;
  /** What a token comes from there; the first that is not set is named. */
  readonly variables: readonly string[];
  /** How the job gets it. */
  readonly hint: (audience: string) => string;
}

const requestVariables = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const;
const tokenVariable = ['DBGUARD_ID_TOKEN'] as const;
const isSet =
  (...names: readonly string[]) =>
  (env: NodeJS.ProcessEnv) =>
    names.some((name) => (env[name] ?? '') !== '' && env[name] !== 'false');

/** In this order: Forgejo and Gitea set GitHub's variables too, and every platform may run on Kubernetes. */
const platforms: readonly Platform[] = [
  {
    name: 'Forgejo Actions',
    isIt: isSet('FORGEJO_ACTIONS'),
    variables: requestVariables,
    hint: () => 'The workflow needs `enable-openid-connect: true`.',
  },
  {
    name: 'Gitea Actions',
    isIt: isSet('GITEA_ACTIONS'),
    variables: requestVariables,
    hint: () =>
      'The job needs `permissions: id-token: write`, and a Gitea that issues tokens; on Forgejo `enable-openid-connect: true`.',
  },
  {
    name: 'GitHub Actions',
    isIt: isSet('GITHUB_ACTIONS'),
    variables: requestVariables,
    hint: () => 'The job needs `permissions: id-token: write`; pull requests from forks do not get it.',
  },
  {
    name: 'GitLab CI',
    isIt: isSet('GITLAB_CI'),
    variables: tokenVariable,
    hint: (audience) => `The job needs \`id_tokens: { DBGUARD_ID_TOKEN: { aud: ${audience} } }\`.`,
  },
  {
    name: 'Buildkite',
    isIt: isSet('BUILDKITE'),
    variables: tokenVariable,
    hint: (audience) =>
      `Before dbguard: export DBGUARD_ID_TOKEN="$(buildkite-agent oidc request-token --audience ${audience})"`,
  },
  {
    name: 'CircleCI',
    isIt: isSet('CIRCLECI'),
    variables: tokenVariable,
    hint: (audience) =>
      `Before dbguard: export DBGUARD_ID_TOKEN="$(circleci run oidc get --claims '{"aud": "${audience}"}')"`,
  },
  {
    name: 'CI',
    // Azure Pipelines, Jenkins, TeamCity and AWS CodeBuild do not set it
    isIt: isSet('CI', 'TF_BUILD', 'JENKINS_URL', 'TEAMCITY_VERSION', 'CODEBUILD_BUILD_ID'),
    variables: ['DBGUARD_ID_TOKEN or DBGUARD_ID_TOKEN_FILE'],
    hint: (audience) => `Give the job a token of its platform for the audience ${audience}, in a variable or a file.`,
  },
  {
    name: 'Kubernetes',
    isIt: isSet('KUBERNETES_SERVICE_HOST'),
    variables: ['DBGUARD_ID_TOKEN_FILE'],
    hint: (audience) =>
      `Project a service account token for the audience ${audience} and name its path; a person in a pod can log in: dbguard login`,
  },
];

/** The error of a job that has no token and no stored login. Undefined where no platform is known: a person logs in. */
export function missingWorkloadToken(env: NodeJS.ProcessEnv, audience: string): DbguardError | undefined {
  const platform = platforms.find(({ isIt }) => isIt(env));
  if (platform === undefined) return undefined;
  const missing = platform.variables.find((name) => !env[name]) ?? platform.variables[0];
  return new DbguardError('login-required', `${missing} is not set, and nobody is logged in (${platform.name})`, {
    hint: platform.hint(audience),
  });
}

/** Half of what the request for a token needs: an error in itself, whatever else there is. */
export function halfSetRequest(env: NodeJS.ProcessEnv): DbguardError | undefined {
  const missing = requestVariables.filter((name) => !env[name]);
  const [only] = missing;
  if (only === undefined || missing.length === requestVariables.length) return undefined;
  const other = requestVariables.find((name) => name !== only);
  return new DbguardError('login-failed', `${only} is not set, although ${other} is`, {
    hint: 'Pass both on to dbguard (in a container, a step or sudo), or neither.',
  });
}
