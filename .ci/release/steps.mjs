// What every step of a release needs: where things are, what is being released, and how a program is run.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const { version } = manifest;
export const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** Standard output; what a program complains of goes where ours does. */
export function tool(program, args, options = {}) {
  return execFileSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
    env: { ...process.env, NODE_OPTIONS: '', TZ: 'UTC', LC_ALL: 'C', ...options.env },
  });
}

/** Seconds since 1970 that every file of the release bears: the commit's (reproducible-builds.org, SOURCE_DATE_EPOCH). */
export const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? tool('git', ['log', '-1', '--format=%ct']));

/** Of a Debian package: as Debian's own tools name whoever makes it, else the author of the commit. */
const { DEBEMAIL, DEBFULLNAME } = process.env;
export const maintainer = DEBEMAIL && DEBFULLNAME ? `${DEBFULLNAME} <${DEBEMAIL}>` : tool('git', ['log', '-1', '--format=%an <%ae>']).trim();
