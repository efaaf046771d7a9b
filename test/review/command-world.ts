/** The commands as a person runs them, in a folder of its own: a bucket in a folder, dbguard.yaml, a stored login. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { CommandContext, CommandModule } from '../../src/cli/command.js';
import type { OptionValues } from '../../src/cli/table.js';
import { openBucket } from '../../src/io/bucket/open.js';
import { openTokenStore } from '../../src/io/login/token-store.js';
import { clientId, issuerUrl, type TestIssuer } from '../transcript/people.js';
import { objectsOf, type Recorded } from '../transcript/recorded.js';

export interface World {
  readonly root: string;
  store(session: Recorded): Promise<void>;
  run(command: CommandModule<OptionValues>, args?: readonly string[], options?: OptionValues): Promise<Result>;
  logIn(sub: string): Promise<void>;
}

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function commandWorld(t: Test, issuer: TestIssuer, yaml?: string): World {
  const root = t.testdir({
    'dbguard.yaml':
      yaml ?? `version: 1\nidentity:\n  issuer: ${issuerUrl}\n  client_id: ${clientId}\nbucket: file:./bucket\n`,
    'keys.json': JSON.stringify(issuer.keys),
  });
  const env = { DBGUARD_HOME: join(root, 'home'), DBGUARD_TOKEN_STORE: 'file' };
  return {
    root,
    async store(session) {
      const bucket = await openBucket({ kind: 'file', path: join(root, 'bucket') }, { env });
      for (const { key, bytes } of objectsOf(session, 0)) await bucket.create(key, bytes);
    },
    async run(command, args = [], options = {}) {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const context: CommandContext = { stdin, stdout, stderr, env, cwd: root };
      const [out, err] = [readAll(stdout), readAll(stderr)];
      try {
        const code = await command.run(context, args, options);
        stdout.end();
        stderr.end();
        return { code, out: await out, err: await err };
      } finally {
        stdout.end();
        stderr.end();
      }
    },
    async logIn(sub) {
      await openTokenStore(env).set(`${issuerUrl} ${clientId}`, await issuer.login(sub));
    },
  };
}
