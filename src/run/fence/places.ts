/**
 * What of a machine a fenced child sees, and what it never sees. The fence is built from an empty root, so a place that is
 * in no list does not exist inside: a new tool's socket or a new secret needs no line here.
 *
 * Rejected: the whole file system read-only with secrets taken out. Sockets work on a read-only mount, and the list of secrets
 * is never complete.
 */

import { contains } from './paths.js';

/** Read-only on Linux. Links to each other (`/bin` -> `usr/bin`) are made again as links. */
export const linuxSystem: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/sys',
  '/nix/store',
  '/gnu/store',
  '/home/linuxbrew/.linuxbrew',
  // certificates of SUSE, users of a directory service
  '/var/lib/ca-certificates',
  '/var/lib/sss',
];

/** Links in /etc that may lead to where nothing else is visible: name resolution would end without them. */
export const linuxSystemFiles: readonly string[] = ['/etc/resolv.conf', '/etc/hosts', '/etc/localtime'];

/** Read-only on macOS. */
export const macSystem: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/etc',
  '/opt',
  '/System',
  '/Library',
  '/Applications',
  '/nix/store',
  '/var/db/timezone',
  '/var/select',
];

/** Private and writable, and gone at the end. */
export const scratchFolders: readonly string[] = ['/tmp', '/var/tmp', '/run'];

/** Where every program leaves its sockets: what is, or holds, one of these opens all of them. Parts may be opened. */
export function holdsSockets(path: string): boolean {
  return scratchFolders.some((folder) => contains(path, folder)) || /^\/run\/user(?:\/[^/]+)?$/.test(path);
}

/**
 * Read-only of the home folder: settings of git and editors, tool chains. Not the shell's start-up files: they set variables,
 * DATABASE_URL among them, over those that dbguard gives.
 */
export const homeReadable: readonly string[] = [
  '.gitconfig',
  '.gitignore',
  '.gitignore_global',
  '.config/git',
  '.inputrc',
  '.editorconfig',
  '.terminfo',
  '.lesskey',
  '.nanorc',
  '.vimrc',
  '.vim',
  '.config/nvim',
  '.local/share/nvim',
  '.local/bin',
  '.local/lib',
  '.local/pipx',
  '.local/share/claude',
  '.local/share/fnm',
  '.local/share/mise',
  '.local/share/pipx',
  '.local/share/pnpm',
  '.local/share/uv',
  '.config/mise',
  '.asdf',
  '.bun',
  '.cache/ms-playwright',
  '.cargo',
  '.deno',
  '.dotnet',
  '.fnm',
  '.nix-profile',
  '.nvm',
  '.opam',
  '.pyenv',
  '.rbenv',
  '.rustup',
  '.rvm',
  '.sdkman',
  '.tool-versions',
  '.volta',
  'go',
];

/** Of the home folder, out of sight even where a folder above them is visible. */
export const homeSecrets: readonly string[] = [
  '.pgpass',
  '.pg_service.conf',
  '.postgresql',
  '.psql_history',
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.boto',
  '.docker',
  '.kube',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.git-credentials',
  '.vault-token',
  '.password-store',
  '.terraform.d',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.config/containers',
  '.config/gcloud',
  '.config/gh',
  '.config/git/credentials',
  '.config/op',
  '.config/sops',
  '.local/share/containers',
  '.local/share/keyrings',
  '.local/share/DBeaverData',
  'Library/Keychains',
];

/** Of a user's folders those that hold one of everything: a tool below one of them opens no more than itself. */
export const sharedParents: readonly string[] = ['', '.local', '.local/share', '.local/state', '.config', '.cache'];
