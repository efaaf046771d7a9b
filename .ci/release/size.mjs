// An installed package stays small, and no part of it needs a script of its own at installation.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from './steps.mjs';

const limitMegabytes = 60;

/** Installs the packed package with npm, every script refused, and starts it. @throws when it is too large or does not start */
export function insistOnSize(packed, work) {
  const place = join(work, 'installed');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  tool('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', packed], { cwd: place });
  tool(join(place, 'node_modules/.bin/dbguard'), ['--version']);
  const megabytes = Number(tool('du', ['-sm', join(place, 'node_modules')]).split('\t')[0]);
  if (megabytes >= limitMegabytes) throw new Error(`installed it takes ${megabytes} MB, and ${limitMegabytes} are the limit`);
  process.stderr.write(`installed without a script: ${megabytes} MB\n`);
}
