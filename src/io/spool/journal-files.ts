/**
 * The files that a journal consists of, and the system calls it makes: a seam, so that tests can fill the disk.
 */
import { close, constants, fdatasync, fsync, open, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

type Done = (error?: Error | null) => void;

export interface JournalFiles {
  /** A new file that only this user may open. Throws when the name is taken. */
  create(path: string): number;
  /** As write(2): may write less than it was given. */
  write(fd: number, bytes: Uint8Array, offset: number): number;
  sync(fd: number, done: Done): void;
  /** Makes the names in a folder survive a power cut. */
  syncFolder(path: string, done: Done): void;
  close(fd: number, done: Done): void;
}

const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW = 0, O_DIRECTORY = 0, O_RDONLY } = constants;

export const systemFiles: JournalFiles = {
  create: (path) => openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_NOFOLLOW, 0o600),
  write: (fd, bytes, offset) => writeSync(fd, bytes, offset),
  sync: (fd, done) => fdatasync(fd, done),
  syncFolder: (path, done) => {
    if (process.platform === 'win32')
      done(); // has no such thing
    else {
      open(path, O_RDONLY | O_DIRECTORY, (error, fd) => {
        if (error) done(error);
        else fsync(fd, (syncError) => close(fd, () => done(syncError)));
      });
    }
  },
  close: (fd, done) => close(fd, done),
};

/** One segment while it is written. Knows what is on the disk for certain; not what the bytes mean. */
export class JournalFile {
  readonly #files: JournalFiles;
  readonly #fd: number;
  readonly path: string;
  #folderSynced = false;
  /** Bytes known to survive a power cut. */
  #synced = 0;
  bytes = 0;

  constructor(files: JournalFiles, path: string) {
    this.#files = files;
    this.path = path;
    this.#fd = files.create(path);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const written = this.#files.write(this.#fd, bytes, at);
      if (written <= 0) throw new Error('the disk takes no more bytes');
      at += written;
    }
    this.bytes += bytes.length;
  }

  /** `done` may run at once when there is nothing to do. An error is final: after it nobody knows what is on the disk. */
  sync(done: Done): void {
    const bytes = this.bytes;
    if (this.#synced >= bytes) {
      done();
      return;
    }
    const finish = (error?: Error | null): void => {
      if (!error) this.#synced = Math.max(this.#synced, bytes);
      done(error);
    };
    this.#files.sync(this.#fd, (error) => {
      if (error || this.#folderSynced) finish(error);
      else {
        this.#files.syncFolder(dirname(this.path), (folderError) => {
          this.#folderSynced = !folderError;
          finish(folderError);
        });
      }
    });
  }

  /** After the last write. */
  syncAndClose(done: Done): void {
    this.sync((error) => this.#files.close(this.#fd, (closeError) => done(error ?? closeError)));
  }
}
