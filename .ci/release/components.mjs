// What a release is made of besides dbguard's own code: the packages that are in the bundle (esbuild says which), those that
// stay beside it, and Node. Their licences as one text, and all of it as a CycloneDX document.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { epoch, lock, manifest, root, version } from './steps.mjs';

/** Folders of the packages whose code is in dist/bin. */
export function bundledPackages() {
  const found = new Set();
  for (const file of ['bundle.json', 'bundle-page.json'])
    for (const { inputs } of Object.values(JSON.parse(readFileSync(join(root, 'dist', file), 'utf8')).outputs))
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = /node_modules\/.*$/.exec(path)?.[0].match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0];
        if (folder !== undefined && bytesInOutput > 0) found.add(folder);
      }
  return [...found].sort();
}

/** Folders of the packages that npm installs beside it, as the lock has them for one platform (all of them without one). */
export function installedPackages(target) {
  const fits = (list, word) => list === undefined || word === undefined || list.includes(word);
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .filter(([, one]) => fits(one.os, target?.os) && fits(one.cpu, target?.cpu))
    .map(([path]) => path)
    .sort();
}

function component(folder) {
  const one = lock.packages[folder] ?? {};
  const own = existsSync(join(root, folder, 'package.json')) ? JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) : one;
  const name = one.name ?? own.name ?? folder.replace(/^.*node_modules\//, '');
  return { folder, name, version: one.version ?? own.version, licence: licenceOf(own) ?? one.license, integrity: one.integrity };
}

function licenceOf({ license, licenses }) {
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ');
}

/** A package's own words, or what it calls its licence where it brings none. */
function licenceText({ folder, name, version: its, licence }) {
  const there = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  const files = there.filter((file) => /^(?:licen[sc]e|copying|notice)(?:[.-].*)?$/i.test(file)).sort();
  const text = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim()).join('\n\n');
  return `${'='.repeat(80)}\n${name} ${its}: ${licence ?? 'see its text'}\n${'='.repeat(80)}\n\n${text || `Licensed under ${licence}.`}\n`;
}

export function licences(folders, nodeLicence) {
  const head = `dbguard ${version} is under the Apache License 2.0 (LICENSE). In it are parts of others, each under its own:\n`;
  const node = nodeLicence === undefined ? [] : [`${'='.repeat(80)}\nNode.js\n${'='.repeat(80)}\n\n${nodeLicence.trim()}\n`];
  const unlike = new Map(folders.map(component).map((one) => [`${one.name}@${one.version}`, licenceText(one)]));
  return [head, ...unlike.values(), ...node].join('\n');
}

/** CycloneDX 1.5, JSON. The same release gives the same bytes: its number comes from what it says. */
export function sbom(folders, target, runtime) {
  const unlike = new Map(folders.map(component).map((one) => [`${one.name}@${one.version}`, one]));
  const components = [...unlike.values()].map(cycloneComponent);
  if (runtime !== undefined)
    components.push({ type: 'platform', 'bom-ref': `node@${runtime.version}`, name: 'node', version: runtime.version, description: `as ${runtime.registry} has it in ${runtime.name}`, licenses: [{ license: { id: 'MIT' } }] });
  const purl = `pkg:npm/dbguard@${version}`;
  const subject = { type: 'application', 'bom-ref': purl, name: 'dbguard', version, description: `${manifest.description} (${target})`, purl, licenses: [{ license: { id: manifest.license } }] };
  const body = {
    metadata: { timestamp: new Date(epoch * 1000).toISOString(), component: subject },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map((one) => one['bom-ref']) }, ...components.map((one) => ({ ref: one['bom-ref'] }))],
  };
  const hex = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const serialNumber = `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber, version: 1, ...body }, undefined, 2)}\n`;
}

function cycloneComponent({ name, version: its, licence, integrity }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${its}`;
  const digest = /^sha512-(.*)$/.exec(integrity ?? '')?.[1];
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version: its,
    purl,
    ...(licence === undefined ? {} : { licenses: [/^[\w.+-]+$/.test(licence) ? { license: { id: licence } } : { expression: licence }] }),
    ...(digest === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
  };
}
