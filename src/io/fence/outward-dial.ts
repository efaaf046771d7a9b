/**
 * A connection out of a fence: through the company's proxy where there is one, and never to what a name must not lead to, whoever
 * has approved the name. A name's owner says where it leads, and may say another thing after it was approved.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, connect, isIP, type Socket } from 'node:net';
import { DbguardError } from '../../errors.js';
import { type HostPort, isLocal } from '../../policy/hosts.js';
import { tunnelFor } from '../http/outward-agents.js';

const timeoutMs = 30_000;

/** This machine itself, and what answers in a cloud to whoever asks (RFC 1122, 3927, 4291). */
const never = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
] as const)
  never.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
] as const)
  never.addSubnet(address, bits, 'ipv6');

type Env = Readonly<Record<string, string | undefined>>;

/** @param closed `address:port` of the databases that are guarded: nothing but dbguard goes there */
export function outwardDial(env: Env, closed: (address: string, port: number) => boolean) {
  return async ({ host, port }: HostPort): Promise<Socket> => {
    if (isLocal(host)) return opened(connect({ host: '127.0.0.1', port }));
    const through = await tunnelFor({ host, port }, env);
    if (through !== undefined) return through;
    const found = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host, family: isIP(host) }];
    const addresses = found.filter(({ address, family }) => !never.check(address, family === 6 ? 'ipv6' : 'ipv4'));
    if (addresses.length === 0) throw refused(host, 'its name leads to this machine itself');
    if (addresses.some(({ address }) => closed(address, port))) throw refused(host, 'the guarded database is there');
    let last: unknown;
    for (const { address } of addresses) {
      try {
        return await opened(connect({ host: address, port }));
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
}

function refused(host: string, why: string): DbguardError {
  return new DbguardError('proxy-refused', `${host} is not connected to: ${why}`);
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
