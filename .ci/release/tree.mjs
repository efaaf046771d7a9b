// What a platform's archive has in it: the packed package, the packages that stay beside it, Node's runtime, and a launcher
// that starts with it.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages, installedPackages, licences, sbom } from './components.mjs';
import { putRuntime } from './runtime.mjs';
import { writeSignedList } from './signed-list.mjs';
import { root, tool } from './steps.mjs';

/** @param folder becomes the root of the installation */
export function makeTree({ name, target, tarball, folder, cache, nodeLicence, key }) {
  mkdirSync(folder, { recursive: true });
  tool('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  putPackages(target, folder, cache);
  putRuntime(target, folder, cache);
  const { runtime } = target;
  const parts = [...bundledPackages(), ...installedPackages(target).filter((path) => existsSync(join(folder, path)))];
  writeFileSync(join(folder, 'dist/licences.txt'), licences(parts, nodeLicence));
  writeFileSync(join(folder, 'dist/sbom.cdx.json'), sbom(parts, name, runtime));
  if (target.os === 'win32') writeFileSync(join(folder, 'bin/dbguard.cmd'), windowsLauncher);
  else writeFileSync(join(folder, 'bin/dbguard'), launcher(readFileSync(join(folder, 'bin/dbguard'), 'utf8')));
  writeSignedList(folder, name, key);
}

/** The very versions of package-lock.json, by npm, for another platform than this one; no script of theirs runs. */
function putPackages({ os, cpu, libc }, folder, cache) {
  const work = join(cache, `packages-${os}-${cpu}-${libc ?? ''}`);
  if (!existsSync(join(work, 'node_modules'))) {
    mkdirSync(work, { recursive: true });
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(root, file), join(work, file));
    const platform = [`--os=${os}`, `--cpu=${cpu}`, ...(libc === undefined ? [] : [`--libc=${libc}`])];
    const less = ['--omit=dev', '--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    tool('npm', ['ci', ...less, ...platform], { cwd: work });
  }
  const packages = join(folder, 'node_modules');
  cpSync(join(work, 'node_modules'), packages, { recursive: true });
  for (const left of ['.bin', '.package-lock.json', 'node-addon-api', '@pgsql']) rmSync(join(packages, left), { recursive: true, force: true });
  // what only a compiler wants
  for (const left of ['binding.gyp', 'src', 'script']) rmSync(join(packages, 'keytar', left), { recursive: true, force: true });
  const prebuilt = join(packages, 'keytar/prebuilds');
  const wanted = libc === 'musl' ? `linuxmusl-${cpu}` : `${os}-${cpu}`;
  for (const one of readdirSync(prebuilt)) if (one !== wanted) rmSync(join(prebuilt, one), { recursive: true });
  // keytar asks for the platform's name alone
  if (libc === 'musl') renameSync(join(prebuilt, wanted), join(prebuilt, `${os}-${cpu}`));
  // built for glibc, and none is for musl: without it `dbguard run` says that it has no terminal to give
  if (libc === 'musl') rmSync(join(packages, '@lydell', `node-pty-${os}-${cpu}`), { recursive: true, force: true });
}

// a star before a slash would end the comment that the script is for JavaScript
const ownNode = `# the runtime that came with it, also when this is started through a link
here=$0
[ "\${here%/*}" != "$here" ] || here=./$here
while [ -h "$here" ]; do
  led=$(readlink "$here")
  case $led in (/*) here=$led ;; (*) here=\${here%/*}/$led ;; esac
done
`;

/** bin/dbguard with the runtime beside it in the place of the PATH's. */
export function launcher(script) {
  const last = 'exec node --inspect-port=192.0.2.1:9229 "$0" "$@"\n';
  const comment = script.lastIndexOf('# nobody can listen', script.indexOf(last));
  if (script.split(last).length !== 2 || comment === -1) throw new Error('bin/dbguard ends in another way than release/tree.mjs knows');
  const own = last.replace('node', '"${here%/*}/../runtime/bin/node"').replace('"$0"', '"$here"');
  if (/\*\//.test(ownNode + own)) throw new Error('the launcher ends its own comment');
  return `${script.slice(0, comment)}${ownNode}${script.slice(comment).replace(last, own)}`;
}

/** What of bin/dbguard cmd.exe can do: no variable that leads Node elsewhere, no debugger. Nobody has run it yet. */
const windowsLauncher = [
  '@echo off',
  'setlocal',
  'for /f "delims==" %%v in (\'set NODE_ 2^>nul\') do if /i not "%%v"=="NODE_EXTRA_CA_CERTS" set "%%v="',
  'for /f "delims==" %%v in (\'set OPENSSL_ 2^>nul\') do set "%%v="',
  '"%~dp0..\\runtime\\bin\\node.exe" --inspect-port=192.0.2.1:9229 "%~dp0dbguard" %*',
  'exit /b %ERRORLEVEL%',
  '',
].join('\r\n');
