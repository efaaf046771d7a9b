/**
 * One keychain operation in a process of its own. libsecret waits 25 seconds for a daemon that does not start, in a
 * thread that keeps even process.exit() waiting; this process can be killed instead.
 * Secrets pass through the IPC channel only, never through arguments or the environment.
 */
import type { KeychainReply, KeychainRequest } from './keychain.js';

// no debugger: see bin/dbguard
process.on('SIGUSR1', () => undefined);
process.once('message', async (request: KeychainRequest) => {
  const reply = await perform(request).catch(
    (error: unknown): KeychainReply => ({ error: error instanceof Error ? error.message : 'unknown error' }),
  );
  process.send?.(reply, () => process.disconnect());
});

async function perform({ operation, service, account, secret }: KeychainRequest): Promise<KeychainReply> {
  const { default: keytar } = await import('keytar');
  switch (operation) {
    case 'get':
      return { secret: await keytar.getPassword(service, account) };
    case 'set':
      await keytar.setPassword(service, account, secret ?? '');
      return {};
    case 'delete':
      await keytar.deletePassword(service, account);
      return {};
  }
}
