/** What a guard is opened with, and how it is closed. */
import type { DbguardError } from '../../errors.js';
import type { Progress } from '../../io/spool/uploader.js';
import type { ProfileName } from '../../policy/profiles.js';
import type { SandboxConfig } from '../../policy/read-sandbox.js';
import type { Asker } from '../../proxy/statement/asker.js';

export interface GuardOptions {
  /** `--config`. */
  readonly config?: string | undefined;
  /** `--connection`; the configuration's default otherwise. */
  readonly connection?: string | undefined;
  /** `--from`: where no file names a connection, the place of the one that is found. */
  readonly from?: string | undefined;
  /** `--policy`: judge by this file alone. */
  readonly policyFile?: string | undefined;
  readonly profile?: ProfileName | undefined;
  /** `--reason`: shown to the approver and recorded where a statement runs as a role. */
  readonly reason?: string | undefined;
  /** Shown to the approver and recorded: the command that is guarded. */
  readonly agent: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** What opens the loopback port. */
  readonly password: string;
  readonly asker: Asker;
  /** Told what the files say of a fence, before anything is opened. */
  readonly onSettings?: (sandbox: SandboxConfig) => void;
  /** The approver chose to end the run. */
  readonly endSession: () => void;
  /** Told once for each kind of trouble that does not stop the session. */
  readonly onTrouble: (error: DbguardError) => void;
}

export interface CloseOptions {
  /** How long statements under way may take, milliseconds. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}
