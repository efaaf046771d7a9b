/**
 * The other end of an accepted unix socket. Node has no SO_PEERCRED, and /proc/net/unix does not say which two sockets belong
 * together; the kernel tells it over netlink (sock_diag(7), UNIX_DIAG_PEER), which a few lines of Perl can ask: one process
 * for the whole run, a fraction of a millisecond for each connection.
 *
 * Rejected: a program for each connection that asks getsockopt (a fork of this process stops its event loop for many
 * milliseconds), guessing by which process has opened a socket lately.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

const perl = '/usr/bin/perl';

/** Inode in, inode of the peer out, 0 for none. Layouts: linux/netlink.h, linux/unix_diag.h. */
const program = String.raw`
$| = 1;
socket(my $diag, 16, 3, 4) or exit 1;
while (<STDIN>) {
  my ($inode) = /^(\d+)$/ or next;
  my $peer = 0;
  send($diag, pack('LSSLL CCSLLLLL', 40, 20, 1, 0, 0, 1, 0, 0, 0xffffffff, $inode, 4, 0xffffffff, 0xffffffff), 0);
  my $answer = '';
  recv($diag, $answer, 8192, 0);
  if (length($answer) >= 32 && unpack('x4S', $answer) == 20) {
    for (my $at = 32; $at + 8 <= length($answer);) {
      my ($length, $type) = unpack("x$at SS", $answer);
      last if $length < 4;
      $peer = unpack('x' . ($at + 4) . 'L', $answer) if $type == 2;
      $at += ($length + 3) & ~3;
    }
  }
  print "$inode $peer\n";
}`;

export class UnixPeers {
  readonly #waiting = new Map<string, ((peer: string | undefined) => void)[]>();
  #asked: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #over = false;

  /** Starts the process that is asked, where there is Perl; it does not keep this one alive. */
  constructor() {
    if (process.platform !== 'linux' || !existsSync(perl)) return;
    const asked = spawn(perl, ['-e', program], { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/' });
    this.#asked = asked;
    let rest = '';
    asked.stdout.setEncoding('latin1');
    asked.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#told(line);
    });
    for (const source of [asked, asked.stdin, asked.stdout]) source.on('error', () => this.close());
    asked.on('exit', () => this.close());
    asked.unref();
    for (const stream of [asked.stdin, asked.stdout] as const) (stream as { unref?: () => void }).unref?.();
  }

  /** @param inode of the accepted socket; undefined where nobody can say */
  peerOf(inode: string): Promise<string | undefined> {
    const asked = this.#asked;
    if (asked === undefined || this.#over) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(inode);
      if (waiting) waiting.push(resolve);
      else {
        this.#waiting.set(inode, [resolve]);
        asked.stdin.write(`${inode}\n`);
      }
    });
  }

  close(): void {
    this.#over = true;
    this.#asked?.stdin.destroy();
    for (const waiting of this.#waiting.values()) for (const tell of waiting) tell(undefined);
    this.#waiting.clear();
  }

  #told(line: string): void {
    const [inode = '', peer = '0'] = line.split(' ');
    const waiting = this.#waiting.get(inode) ?? [];
    this.#waiting.delete(inode);
    for (const tell of waiting) tell(peer === '0' ? undefined : peer);
  }
}
