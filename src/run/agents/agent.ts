/** What of the home folder belongs to an agent, and what of that must stay outside of a fence. */
export interface Agent {
  /** Names of its program, without a folder. */
  readonly programs: readonly string[];
  /** A variable that names its folder elsewhere than `folders[0]`. */
  readonly folderVariable?: string;
  /** Its own folders, relative to the home folder: login, settings, history. Made where they are missing. */
  readonly folders: readonly string[];
  /** Its own files beside them, relative to the home folder; used where they exist. */
  readonly files?: readonly string[];
  /** Folders in `folders[0]` that lead to processes outside of the run: sockets of a daemon of before. Empty inside. */
  readonly doors?: readonly string[];
}
