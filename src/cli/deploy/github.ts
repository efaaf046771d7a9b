/** A workflow of GitHub Actions that migrates through dbguard. */
import { ciConfig } from './ci-config.js';
import { ciRecipe } from './ci-recipe.js';
import type { DeployedFile, DeployOptions } from './deployed-file.js';

export function githubFiles({ version }: DeployOptions): DeployedFile[] {
  return [
    { path: '.github/workflows/migrate.yml', text: workflow(version) },
    ciRecipe('.github/dbguard-migrate.sh'),
    {
      path: '.github/dbguard-ci.yaml',
      text: ciConfig({ issuer: 'https://token.actions.githubusercontent.com' }),
    },
  ];
}

const workflow = (version: string): string => `# Migrates through dbguard, as this job and not as a shared account.
name: migrate
on:
  push:
    branches: [main]          # dbguard-ci.yaml comes from there: never on pull_request, whose author could change it

permissions:
  contents: read
  id-token: write             # the job's own identity: GitHub signs a hash of the key that signs the transcript

concurrency: { group: migrate, cancel-in-progress: false }

jobs:
  migrate:
    runs-on: ubuntu-latest
    environment: production   # its protection rules count too
    timeout-minutes: 60       # longer than second_person.wait
    steps:
      - uses: actions/checkout@v4
        with: { persist-credentials: false }
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      - run: npm install --global --ignore-scripts dbguard@${version}
      - run: dbguard version --verify
      - run: npm ci           # whatever your migrations need
      - name: migrate
        env:
          DBGUARD_CONFIG: .github/dbguard-ci.yaml
          PGPASSWORD: \${{ secrets.MIGRATOR_PASSWORD }}
        run: sh .github/dbguard-migrate.sh npx prisma migrate deploy
      - uses: actions/upload-artifact@v4
        if: always()          # a migration that was denied is evidence as well
        with: { name: dbguard-evidence, path: dbguard-evidence, if-no-files-found: warn }
`;
