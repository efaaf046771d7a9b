/**
 * What dbguard has to know of an agent: what of the home folder belongs to it, what of that must stay outside of a fence, and
 * how it is told something for one run.
 */
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
  /** Where its model is: nobody is asked about them. As in `sandbox.hosts`. */
  readonly hosts: readonly string[];
  /** Variables with the URL of another model. */
  readonly urlVariables?: readonly string[];
  /**
   * Everything that it is told for one run, composed in this one place: the person's own files stay as they are. Pure; what
   * is to be read of a machine comes with the argument.
   */
  forRun(run: RunForAgent): SettingsForRun;
}

/** One run, as its agent is told of it. */
export interface RunForAgent {
  /** What the person has given the agent's program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the model should know of the database; empty where the project says it already. */
  readonly instructions: string;
  /** Private, readable for the agent, gone at the end of the run: where `files` go. */
  readonly folder: string;
  /** A daemon of an earlier start listens. */
  readonly daemon: boolean;
  /** The text of a file; undefined where there is none. */
  read(path: string): string | undefined;
}

export interface SettingsForRun {
  /** All arguments, the person's among them. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Text by name, in `folder`. */
  readonly files?: Readonly<Record<string, string>>;
}
