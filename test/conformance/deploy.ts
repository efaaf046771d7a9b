/** `npm run conformance -- --deploy FOLDER`: what `dbguard deploy` writes, held to the schemas of those who read it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { deployKinds } from '../../src/cli/deploy/deploy-kinds.js';
import { deployments } from '../../src/cli/deploy/kinds.js';
import { installed } from './installed.js';

/** File -> program and arguments before it. */
const readers: Readonly<Record<string, readonly string[]>> = {
  'compose/compose.yaml': ['check-jsonschema', '--builtin-schema', 'vendor.compose-spec'],
  'github/.github/workflows/migrate.yml': ['check-jsonschema', '--builtin-schema', 'vendor.github-workflows'],
  'gitlab/.gitlab/dbguard.gitlab-ci.yml': [
    ...['check-jsonschema', '--builtin-schema', 'vendor.gitlab-ci', '--data-transform', 'gitlab-ci'],
  ],
  'kubernetes/dbguard.yaml': ['kubernetes-validate', '--strict'],
  'systemd/dbguard.service': ['systemd-analyze', 'verify'],
};

/** @param folder has check-jsonschema and kubernetes-validate. @returns how many files are refused */
export async function conformDeploy(folder: string): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'dbguard-deploy-'));
  let refused = 0;
  for (const kind of deployKinds)
    for (const { path, text } of deployments[kind]({ version: '1.0.0', image: 'dbguard:1.0.0' })) {
      const file = join(work, kind, path);
      mkdirSync(dirname(file), { recursive: true });
      // a program that is here: systemd looks for it
      writeFileSync(file, text.replace('ExecStart=/usr/bin/dbguard', 'ExecStart=/bin/true'));
    }
  for (const [file, [program = '', ...args]] of Object.entries(readers)) {
    const own = join(resolve(folder), program);
    const found = existsSync(own) ? own : installed(program);
    if (found === undefined) {
      console.log(`${file}: skipped, ${program} is not installed`);
      continue;
    }
    const { exitCode, all } = await execa(found, [...args, join(work, file)], { reject: false, all: true });
    if (exitCode !== 0) refused += 1;
    console.log(exitCode === 0 ? `${file}: as ${program} wants it` : `${file}: ${all}`);
  }
  rmSync(work, { recursive: true });
  return refused;
}
