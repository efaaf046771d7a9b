/** Compiles the OAuth validator beside this file, for a real PostgreSQL 18. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** The path of the module, or undefined where nothing can compile it. */
export function compileValidator(t: Pick<Test, 'teardown'>): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-oauth-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  const library = join(dir, 'validator.so');
  const source = new URL('oauth-validator.c', import.meta.url).pathname;
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source], { stdio: 'pipe' });
    return library;
  } catch {
    return undefined;
  }
}
