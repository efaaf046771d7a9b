/**
 * The fence on macOS: a plan as a seatbelt profile for sandbox-exec(1). A later rule wins over an earlier one.
 *
 * Two differences to Linux: /tmp is shared, since a profile can allow and forbid but not replace (a socket in it cannot be used
 * all the same); and the keychain's server is out of reach, an agent that keeps its own login there wants it in a file or a variable.
 */
import type { FencePlan, Mount } from './plan.js';

/** Services that programs need to find users, names, certificates and the time; none starts or steers another program. */
const services: readonly string[] = [
  'com.apple.bsd.dirhelper',
  'com.apple.system.opendirectoryd.libinfo',
  'com.apple.system.opendirectoryd.membership',
  'com.apple.system.logger',
  'com.apple.system.notification_center',
  'com.apple.SystemConfiguration.DNSConfiguration',
  'com.apple.SystemConfiguration.configd',
  'com.apple.networkd',
  'com.apple.ocspd',
  'com.apple.trustd.agent',
];

const fixed = `(version 1)
(deny default)
(allow process-exec process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow ipc-posix-sem)
(allow ipc-posix-shm-read-data (ipc-posix-name "apple.shm.notification_center"))
(allow mach-lookup ${services.map((name) => `(global-name "${name}")`).join(' ')})
(allow file-read-metadata)
(allow file-read* file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/ptmx"))
(allow file-read* (literal "/") (literal "/dev/random") (literal "/dev/urandom") (subpath "/dev/fd"))
(allow pseudo-tty)
(allow file-read* file-write* (require-all (regex #"^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty")))
(allow file-ioctl (literal "/dev/tty") (literal "/dev/ptmx") (regex #"^/dev/ttys[0-9]+$"))
(allow file-read* file-write* (subpath "/private/tmp"))
(allow system-socket)
(allow network-outbound (remote ip))
(allow network-inbound (local ip))
(allow network-bind (local ip))
(allow network-outbound (literal "/private/var/run/mDNSResponder"))`;

/** The text of the profile. Sockets work below what is writable, and in the proxy's folder. */
export function seatbeltProfile({ mounts }: FencePlan, socketDir: string): string {
  const proxy = `(allow network-outbound (remote unix-socket ${below(socketDir)}))`;
  return `${[fixed, ...mounts.flatMap(rulesOf), proxy].join('\n')}\n`;
}

function rulesOf(mount: Mount): string[] {
  switch (mount.kind) {
    case 'read':
      return [`(deny file-write* ${below(mount.from)})`, `(allow file-read* ${below(mount.from)})`];
    case 'write':
      return [
        `(allow file-read* file-write* ${below(mount.from)})`,
        `(allow network-outbound (remote unix-socket ${below(mount.from)}))`,
        `(allow network-bind (local unix-socket ${below(mount.from)}))`,
      ];
    case 'hidden-folder':
    case 'hidden-file':
    case 'scratch':
      return [
        `(deny file-read* file-write* ${below(mount.at)})`,
        `(deny network-outbound (remote unix-socket ${below(mount.at)}))`,
      ];
    case 'link':
    case 'devices':
    case 'processes':
      return [];
  }
}

export function seatbeltArguments(plan: FencePlan, socketDir: string): string[] {
  return ['-p', seatbeltProfile(plan, socketDir)];
}

/** A subpath is a folder with everything in it, or the one file. */
function below(path: string): string {
  return `(subpath ${quoted(path)})`;
}

/** A path may hold anything but a zero byte; in a string of the profile language two characters need a backslash. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&')}"`;
}
