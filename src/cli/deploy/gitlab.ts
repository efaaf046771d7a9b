/** A job of GitLab CI that migrates through dbguard. */
import { ciConfig } from './ci-config.js';
import { ciRecipe } from './ci-recipe.js';
import type { DeployedFile, DeployOptions } from './deployed-file.js';

export function gitlabFiles({ version }: DeployOptions): DeployedFile[] {
  return [
    { path: '.gitlab/dbguard.gitlab-ci.yml', text: template(version) },
    ciRecipe('.gitlab/dbguard-migrate.sh'),
    { path: '.gitlab/dbguard-ci.yaml', text: ciConfig({ issuer: 'https://gitlab.com' }) },
  ];
}

const template = (version: string): string => `# In .gitlab-ci.yml:  include: [{ local: .gitlab/dbguard.gitlab-ci.yml }]
# PGPASSWORD is a variable of the project, masked and protected.
migrate:
  image: node:22
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH   # protected: dbguard-ci.yaml comes from there
  environment: production
  resource_group: production                        # one migration at a time
  timeout: 1 hour                                   # longer than second_person.wait
  id_tokens:
    DBGUARD_ID_TOKEN: { aud: dbguard }              # the job's own identity
  variables:
    DBGUARD_CONFIG: .gitlab/dbguard-ci.yaml
  script:
    - npm install --global --ignore-scripts dbguard@${version}
    - dbguard version --verify
    - npm ci                                        # whatever your migrations need
    - sh .gitlab/dbguard-migrate.sh npx prisma migrate deploy
  artifacts:
    when: always                                    # a migration that was denied is evidence as well
    paths: [dbguard-evidence]
`;
