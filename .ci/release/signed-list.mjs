// The list of what is installed, and the signature over it: what src/cli/installation/signed-list.ts reads.
//   node signed-list.mjs FOLDER TARGET
// signs when DBGUARD_RELEASE_KEY names a private Ed25519 key in PEM.
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const listFile = 'dist/files.sha256';
const signatureFile = `${listFile}.sig`;

export const digestOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Paths of all files below a folder, with `/`, in the order of their bytes. What is no file is an error: a list cannot say it. */
export function filesBelow(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const status = lstatSync(join(folder, path));
    if (!status.isFile() && !status.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
    return status.isFile();
  });
  return paths.map((path) => path.split(sep).join('/')).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** @returns the key that signs releases, or undefined for a build that nobody signs */
export function releaseKey(env = process.env) {
  const file = env.DBGUARD_RELEASE_KEY;
  if (!file) return undefined;
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} is no Ed25519 key`);
  return key;
}

/** Writes `FILE.sig` beside a file. */
export function signFile(path, key) {
  writeFileSync(`${path}.sig`, sign(null, readFileSync(path), key));
}

export function writeSignedList(folder, target, key = releaseKey()) {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const lines = filesBelow(folder)
    .filter((path) => path !== listFile && path !== signatureFile)
    .map((path) => `${digestOf(join(folder, path))}  ${path}\n`);
  const list = join(folder, listFile);
  writeFileSync(list, `# dbguard ${version} ${target}: what is installed\n${lines.join('')}`);
  if (key !== undefined) signFile(list, key);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writeSignedList(process.argv[2], process.argv[3]);
