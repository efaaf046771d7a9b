/** The two terminals of a run, as the takeover sees them: the person's own, and the child's. */

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The terminal that a person sits at. In raw mode from `start` to `stop`. */
export interface OuterTerminal {
  readonly size: TerminalSize;
  /** False when the terminal takes no more for now; `onDrain` says when it does. */
  write(bytes: Buffer | string): boolean;
  onDrain(listener: () => void): void;
  onInput(listener: (bytes: Buffer) => void): void;
  onResize(listener: (size: TerminalSize) => void): void;
  /** What to write, synchronously, should the process end before the takeover has cleaned up. */
  onEmergency(sequence: () => string): void;
}

/** The child's side of its pty. */
export interface ChildTerminal {
  onOutput(listener: (bytes: Buffer) => void): void;
  write(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  resize(columns: number, rows: number): void;
}
