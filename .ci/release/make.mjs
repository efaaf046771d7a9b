// Makes a release, as .goreleaser-style.yml describes it:
//   node .ci/release/make.mjs OUT [--targets linux-x64,...] [--address https://...] [--cache FOLDER]
// DBGUARD_RELEASE_KEY names the private Ed25519 key (PEM) that signs it; without one it is an unsigned trial.
// --address: where the archives will be published, for the formulas, which are left out without it.
// It takes runtimes and packages from npm and PyPI; the same commit gives the same bytes.
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { deb, tarball, zip } from './archives.mjs';
import { changelog } from './changelog.mjs';
import { homebrew, scoop } from './formulas.mjs';
import { runtimeLicence } from './runtime.mjs';
import { digestOf, filesBelow, releaseKey, signFile } from './signed-list.mjs';
import { epoch, manifest, root, tool, version } from './steps.mjs';
import { targets } from './targets.mjs';
import { makeTree } from './tree.mjs';
import { insistOnSize } from './size.mjs';
import { insistOnOneVersion } from './versions.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { targets: { type: 'string' }, address: { type: 'string' }, cache: { type: 'string' } },
});
const [place] = positionals;
if (place === undefined) throw new Error('name the folder that the release goes to');
const out = resolve(place);
const chosen = values.targets?.split(',') ?? Object.keys(targets);
for (const name of chosen) if (!(name in targets)) throw new Error(`there is no target ${name}, only ${Object.keys(targets).join(', ')}`);

const description = parse(readFileSync(join(root, '.goreleaser-style.yml'), 'utf8'));
const key = releaseKey();
const said = (text) => process.stderr.write(`${text}\n`);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'dbguard-release-'));
const cache = values.cache === undefined ? join(work, 'cache') : resolve(values.cache);
mkdirSync(cache, { recursive: true });
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

said(`dbguard ${version}: the bundle and the package`);
tool('.ci/bundle', []);
tool('.ci/pack', [out]);
const packed = join(out, `dbguard-${version}.tgz`);
insistOnSize(packed, work);

for (const name of chosen) {
  said(name);
  const target = targets[name];
  const folder = join(work, `dbguard-${version}-${name}`);
  const nodeLicence = runtimeLicence(targets['linux-x64'], cache);
  makeTree({ name, target, tarball: packed, folder, cache, nodeLicence, key });
  if (target.os === 'win32') zip(folder, out);
  else tarball(folder, out);
  if (target.libc === 'glibc') deb(folder, target.cpu, out, work);
  writeFileSync(join(out, `dbguard-${version}-${name}.cdx.json`), readFileSync(join(folder, 'dist/sbom.cdx.json')));
  rmSync(folder, { recursive: true });
}

said('what goes with them');
const date = new Date(epoch * 1000).toISOString().slice(0, 10);
const before = tool('git', ['tag', '--list', 'v*', '--sort=-creatordate', '--no-contains', 'HEAD']).split('\n')[0];
const subjects = tool('git', ['log', '--no-merges', '--reverse', '--format=%s', before ? `${before}..HEAD` : 'HEAD']).trim().split('\n');
writeFileSync(join(out, 'CHANGELOG.md'), changelog({ version, date, subjects, groups: description.changelog.groups }));
if (values.address !== undefined) {
  const digests = new Map(filesBelow(out).map((file) => [file, digestOf(join(out, file))]));
  const about = { version, description: manifest.description, license: manifest.license, address: values.address.replace(/\/$/, ''), digests };
  writeFileSync(join(out, 'dbguard.rb'), homebrew(about));
  writeFileSync(join(out, 'dbguard.json'), scoop(about));
}
const container = join(work, 'container');
tool('bin/dbguard', ['deploy', 'compose', '--to', container]);
writeFileSync(join(out, 'Containerfile'), readFileSync(join(container, 'Containerfile')));
insistOnOneVersion(out);

const sums = filesBelow(out).map((file) => `${digestOf(join(out, file))}  ${file}\n`);
const list = join(out, description.checksum.name_template.replace('{{ .Version }}', version));
writeFileSync(list, sums.join(''));
if (key !== undefined) {
  signFile(list, key);
  writeFileSync(join(out, 'dbguard-release.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }));
}
for (const file of filesBelow(out)) said(`${String(Math.ceil(statSync(join(out, file)).size / 1e4) / 100).padStart(8)} MB  ${file}`);
if (key === undefined) said('Unsigned: DBGUARD_RELEASE_KEY names no key.');
if (!existsSync(join(out, 'dbguard.rb'))) said('Without formulas: --address says where the archives will be.');
