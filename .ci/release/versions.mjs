// One version, wherever a release says one. Each place has a pattern that must be found; a place that says another ends the release.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './signed-list.mjs';
import { lock, manifest, root, tool } from './steps.mjs';

/** @returns [place, version] for everything that says one; `undefined` where it should and does not */
export function versionsSaid(out) {
  const inFile = (path, pattern) => [path, pattern.exec(readFileSync(path, 'utf8'))?.[1]];
  const said = [
    ['package.json', manifest.version],
    ['package-lock.json', lock.version],
    ['package-lock.json, of the package', lock.packages[''].version],
    ['dbguard --version', tool('bin/dbguard', ['--version']).trim()],
  ];
  const man = ['man/dbguard.1', 'completions/dbguard.1', 'dbguard.1'].map((path) => join(root, path)).find(existsSync);
  if (man !== undefined) said.push(inFile(man, /^\.TH .*?(\d+\.\d+\.\d+[\w.+-]*)/m));
  if (out === undefined) return said;
  said.push(inFile(join(out, 'CHANGELOG.md'), /^## dbguard (\S+),/m));
  for (const file of filesBelow(out)) {
    const path = join(out, file);
    if (/\.(?:tgz|tar\.gz|zip|deb)$/.test(file)) said.push([file, /^dbguard[-_](\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?)[-_.]/.exec(file)?.[1]]);
    if (file.endsWith('.deb')) said.push([`${file}, control`, tool('dpkg-deb', ['--field', path, 'Version']).trim()]);
    if (file.endsWith('.cdx.json')) said.push([file, JSON.parse(readFileSync(path, 'utf8')).metadata.component.version]);
    if (file === 'dbguard.rb') said.push(inFile(path, /^ {2}version "(.*)"$/m));
    if (file === 'dbguard.json') said.push([file, JSON.parse(readFileSync(path, 'utf8')).version]);
    if (file.endsWith('.tgz')) said.push([`${file}, signed list`, /^# dbguard (\S+)/.exec(tool('tar', ['-xOzf', path, 'package/dist/files.sha256']))?.[1]]);
  }
  return said;
}

export function insistOnOneVersion(out) {
  const other = versionsSaid(out).filter(([, one]) => one !== manifest.version);
  if (other.length > 0) throw new Error(`not ${manifest.version}: ${other.map(([where, one]) => `${where} says ${one}`).join('; ')}`);
}
