/** What `dbguard deploy` writes is what its readers take: YAML, dbguard's own settings, a shell's syntax; `npm run conformance -- --deploy` has the schemas. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { type Document, parseAllDocuments } from 'yaml';
import { type DeployKind, deployKinds } from '../../src/cli/deploy/deploy-kinds.js';
import { deployments } from '../../src/cli/deploy/kinds.js';
import { parseConfig } from '../../src/policy/config.js';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';

const options = { version: '1.2.3', image: 'example/dbguard:1.2.3' };
const filesOf = (kind: DeployKind) => deployments[kind](options);
const documents = (text: string): ReturnType<Document['toJS']>[] =>
  parseAllDocuments(text).map((one) => {
    for (const error of one.errors) throw error;
    return one.toJS();
  });

for (const kind of deployKinds)
  t.test(kind, async (t) => {
    for (const { path, text, executable } of filesOf(kind)) {
      t.notMatch(text, /undefined|\[object/, path);
      t.notMatch(text, /\b(?:ghcr|quay|docker|gcr|npmjs)\.(?:io|org)\b/, `${path}: no registry’s host`);
      if (/\.ya?ml$/.test(path)) documents(text);
      if (/(?:^|\/)dbguard(?:-ci)?\.yaml$/.test(path) && kind !== 'kubernetes') parseConfig(text, path);
      if (executable) await execa('sh', ['-n'], { input: text });
    }
  });

t.test('the gateway in Kubernetes has no right that it does not need, and the database no other door', async (t) => {
  const all = documents(filesOf('kubernetes')[0]?.text ?? '');
  const of = (kind: string, name = 'dbguard') => all.find((one) => one.kind === kind && one.metadata.name === name);
  parseConfig(of('ConfigMap')?.data['dbguard.yaml'], 'ConfigMap');
  const { spec } = of('Deployment')?.spec.template ?? {};
  t.match(spec, {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  const [container] = spec.containers;
  t.match(container, {
    image: options.image,
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    livenessProbe: { httpGet: { path: '/livez' } },
    readinessProbe: { httpGet: { path: '/readyz' } },
    resources: { requests: { cpu: /./, memory: /./ } },
  });
  const volumes = spec.volumes.map(({ name }: { name: string }) => name);
  for (const { name } of container.volumeMounts) t.ok(volumes.includes(name), name);
  t.ok(of('PodDisruptionBudget')?.spec.minAvailable < of('Deployment')?.spec.replicas, 'a node can be emptied');
  t.strictSame(of('NetworkPolicy', 'only-dbguard')?.spec.ingress, [
    {
      ports: [{ port: 5432 }],
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'dbguard' } },
          podSelector: { matchLabels: { app: 'dbguard' } },
        },
      ],
    },
  ]);
});

t.test('compose opens nothing but loopback, and the database nothing at all', async (t) => {
  const [file] = filesOf('compose');
  const { services } = documents(file?.text ?? '')[0];
  for (const [name, { ports = [] }] of Object.entries<{ ports?: string[] }>(services))
    for (const port of ports) t.match(port, /^127\.0\.0\.1:/, name);
  t.equal(services.database?.ports, undefined);
  t.match(services.gateway, { read_only: true, cap_drop: ['ALL'] });
});

t.test(
  'all that the container file and compose take in is there: in the tarball, or written beside them',
  async (t) => {
    const { stdout } = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: repositoryRoot });
    const [{ filename, version, files: packed }] = JSON.parse(stdout);
    const inTarball = new Set(packed.map(({ path }: { path: string }) => path));
    const written = new Map(deployments.compose({ ...options, version }).map(({ path, text }) => [path, text]));
    const container = written.get('Containerfile') ?? '';
    const lines = (word: string) =>
      [...container.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, rest = '']) => rest);
    t.ok(lines('COPY').length > 0 && lines('RUN').length > 0);
    for (const line of lines('COPY')) for (const source of line.split(' ').slice(0, -1)) t.equal(source, filename);
    const [copied] = lines('RUN').flatMap((line) => [...line.matchAll(/\S+\.tgz/g)].map(String));
    t.equal(copied, `/tmp/${filename}`, 'what is installed is what was copied');
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
    const [program] = JSON.parse(lines('ENTRYPOINT')[0] ?? '');
    t.ok(inTarball.has(manifest.bin[program].replace(/^\.\//, '')), 'its entry point');
    const [entry = ''] = /dist\/bin\/[\w.-]+/.exec(readFileSync(dbguardProgram, 'utf8')) ?? [];
    for (const part of [entry, 'package.json', 'LICENSE']) t.ok(inTarball.has(part), part);
    const [, major] = /node:(\d+)/.exec(lines('FROM')[0] ?? '') ?? [];
    t.ok(Number(major) >= Number(/\d+/.exec(manifest.engines.node)), 'a Node that it runs on');
    const [user] = lines('USER');
    t.match(container, `install -d -o ${user?.replace(':', ' -g ')}`, 'who runs it has the folder that it writes to');
    const [{ services }] = documents(written.get('compose.yaml') ?? '');
    const mounted = Object.values<{ volumes?: string[]; build?: { dockerfile: string } }>(services).flatMap(
      ({ volumes = [], build }) => [
        ...volumes.map((one) => one.split(':')[0] ?? ''),
        ...(build ? [build.dockerfile] : []),
      ],
    );
    const files = mounted.filter((one) => !/^[\w-]+$/.test(one) || one === 'Containerfile');
    t.ok(files.length >= 4);
    for (const file of files) {
      const name = file.replace(/^\.\//, '');
      t.ok(written.has(name) || [...written.keys()].some((path) => path.startsWith(`${name}/`)), file);
    }
  },
);

t.test('the command prints, writes, and replaces nothing unasked', async (t) => {
  const folder = t.testdir({});
  const deploy = (...args: string[]) => execa(dbguardProgram, ['deploy', ...args], { reject: false, cwd: folder });
  t.match(await deploy('systemd'), { exitCode: 0, stdout: /^# \/etc\/systemd/ });
  t.match((await deploy('compose')).stdout, /^# ==> compose\.yaml <==/);
  t.match(await deploy('shell', '--to', 'ci'), { exitCode: 0, stdout: 'ci/dbguard-migrate.sh\nci/dbguard-ci.yaml' });
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other/dbguard-ci.yaml'), 'mine');
  t.match(await deploy('shell', '--to', 'other'), { exitCode: 64, stderr: /dbguard-ci\.yaml: already there/ });
  t.equal(readFileSync(join(folder, 'other/dbguard-ci.yaml'), 'utf8'), 'mine');
  t.match(await deploy('shell', '--to', 'other', '--force'), { exitCode: 0 });
  t.match(await deploy('nomad'), { exitCode: 64, stderr: /compose, kubernetes/ });
  t.match(await deploy('kubernetes', '--image', 'a b'), { exitCode: 64 });
});
