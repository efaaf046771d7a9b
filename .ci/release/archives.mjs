// Archives whose bytes depend on nothing but what is in them: names in order, one time, no owner.
import { cpSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesBelow } from './signed-list.mjs';
import { epoch, maintainer, tool, version } from './steps.mjs';

/** @param folder `…/NAME`, which becomes the archive's one folder. @returns the path of NAME.tar.gz */
export function tarball(folder, out) {
  const name = folder.slice(dirname(folder).length + 1);
  const plain = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--format=ustar', '--mode=u+w,go-w,a+rX'];
  const path = join(out, `${name}.tar.gz`);
  const tar = `${path}.tar`;
  tool('tar', [...plain, '-C', dirname(folder), '-cf', tar, name]);
  // without a time, and not through a program whose versions pack differently
  writeFileSync(path, gzipSync(readFileSync(tar), { level: 6 }));
  rmSync(tar);
  return path;
}

export function zip(folder, out) {
  const name = folder.slice(dirname(folder).length + 1);
  const path = join(out, `${name}.zip`);
  tool('chmod', ['-R', 'u+w,go-w,a+rX', folder]);
  touch(folder);
  const files = filesBelow(folder).map((file) => `${name}/${file}`);
  rmSync(path, { force: true });
  tool('zip', ['-q', '-X', path, '-@'], { cwd: dirname(folder), input: files.join('\n'), stdio: ['pipe', 'pipe', 'inherit'] });
  return path;
}

function touch(folder) {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) lutimesSync(join(folder, path), epoch, epoch);
}

const architectures = { x64: 'amd64', arm64: 'arm64' };

/** A Debian package of the same tree, below /usr/lib/dbguard. @returns its path */
export function deb(folder, cpu, out, work) {
  const stage = join(work, `deb-${cpu}`);
  rmSync(stage, { recursive: true, force: true });
  const put = (from, to) => {
    mkdirSync(join(stage, dirname(to)), { recursive: true });
    cpSync(from, join(stage, to), { recursive: true });
  };
  put(folder, 'usr/lib/dbguard');
  put(join(folder, 'completions/dbguard.bash'), 'usr/share/bash-completion/completions/dbguard');
  put(join(folder, 'completions/_dbguard'), 'usr/share/zsh/vendor-completions/_dbguard');
  put(join(folder, 'completions/dbguard.fish'), 'usr/share/fish/vendor_completions.d/dbguard.fish');
  put(join(folder, 'dist/licences.txt'), 'usr/share/doc/dbguard/copyright');
  mkdirSync(join(stage, 'usr/share/man/man1'), { recursive: true });
  writeFileSync(join(stage, 'usr/share/man/man1/dbguard.1.gz'), gzipSync(readFileSync(join(folder, 'dist/bin/dbguard.1')), { level: 9 }));
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/dbguard/bin/dbguard', join(stage, 'usr/bin/dbguard'));
  const kilobytes = tool('du', ['-sk', '--apparent-size', stage]).split('\t')[0];
  mkdirSync(join(stage, 'DEBIAN'));
  writeFileSync(join(stage, 'DEBIAN/control'), control(architectures[cpu], kilobytes));
  touch(stage);
  const path = join(out, `dbguard_${version}_${architectures[cpu]}.deb`);
  tool('chmod', ['-R', 'u+w,go-w,a+rX', stage]);
  tool('dpkg-deb', ['--root-owner-group', '-Zxz', '-z6', '--threads-max=1', '--build', stage, path], { env: { SOURCE_DATE_EPOCH: String(epoch) } });
  rmSync(stage, { recursive: true });
  return path;
}

function control(architecture, kilobytes) {
  return `Package: dbguard
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6
Recommends: bubblewrap, libsecret-1-0, ca-certificates
Section: database
Priority: optional
Description: a signed, approved and masked path between an AI coding agent and PostgreSQL
 "dbguard run" starts an agent or any client with a loopback connection of its
 own. What destroys data waits for a person, sensitive columns are masked, and
 every statement stands in a signed transcript that anybody can verify.
`;
}
