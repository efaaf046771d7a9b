/**
 * What dbguard has to know of an agent: what of the home folder belongs to it, what of that must stay outside of a fence, and
 * how it is told something for one run.
 */
import type { McpServer, SettledServer } from './mcp-servers.js';

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
  /** MCP servers that it starts by its own configuration: what stands later counts over what stands earlier. */
  servers?(configuration: Configuration): readonly McpServer[];
  /**
   * Everything that it is told for one run, composed in this one place: the person's own files stay as they are. Pure; what
   * is to be read of a machine comes with the argument.
   */
  forRun(run: RunForAgent): SettingsForRun;
}

/** Where its own configuration may be. */
export interface Configuration {
  /** Its own folder: `folders[0]`, or where its variable says. */
  readonly folder: string;
  readonly home: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The text of a file; undefined where there is none. */
  read(path: string): string | undefined;
  /** Names in a folder. */
  list(path: string): readonly string[];
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
  /** The command that its hooks run, quoted for a shell, without the agent's name behind it; undefined where nobody listens. */
  readonly hook?: string | undefined;
  /** Servers with a connection of their own, as they are started this time. */
  readonly servers: readonly SettledServer[];
  /**
   * dbguard's fence has a network of its own: what another fence inside allows leads nowhere else, and a newer version of the agent
   * is not looked for: it could not be installed, and the question about its host would be for nothing.
   */
  readonly guardedNetwork: boolean;
  /** Programs whose commands it runs without a question of its own: dbguard asks where it matters, and there is a fence. */
  readonly unasked: readonly string[];
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
  /**
   * How a fence of the agent's own keeps its commands from the database, and what to allow there, exactly; where it has one. Said where
   * no statement has come.
   */
  readonly ownFence?: string;
  /** Text by the path of a file in whose place it stands: only a fence can do that. */
  readonly replaced?: Readonly<Record<string, string>>;
}
