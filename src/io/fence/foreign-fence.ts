/** Whether a sandbox or a container without a network is around this process, as far as the kernel tells. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

const startOutside =
  'Start dbguard outside of it, around the agent (dbguard run -- codex): then what the agent starts reaches the guarded port.';

/**
 * Added to a hint about a connection that failed; empty where there is nothing to add.
 * @param code Node's name of the system's error; EPERM is what seccomp filters of sandboxes answer to connect(2), bind(2)
 */
export function foreignFenceHint(code: string, interfaces: Interfaces = networkInterfaces()): string {
  if (code === 'EPERM') return ` A sandbox around this process forbids it. ${startOutside}`;
  const reachesOut = Object.values(interfaces).some((addresses) => addresses?.some(({ internal }) => !internal));
  if (reachesOut) return '';
  return ` This process has no network but its own loopback, as in an agent’s sandbox or a container without one. ${startOutside}`;
}
