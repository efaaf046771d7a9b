/** A dialogue is data: what clients send, and what they wait for before they send more. */

export interface Dialogue {
  readonly name: string;
  readonly steps: readonly Step[];
  /** SQL that the superuser runs before, in an empty schema. */
  readonly setup?: string;
  /** Parameters of the first client's StartupMessage, and its protocol version when it is not 3.0. */
  readonly startup?: Readonly<Record<string, string>>;
  readonly protocol?: readonly [number, number];
  /**
   * Where dbguard answers by itself because the server must never see such bytes. `same-code`: with the same SQLSTATE, in
   * words of its own. `closes`: it cuts the connection off where a server would complain and go on, or say nothing.
   */
  readonly ownAnswer?: 'same-code' | 'closes';
  /** The oldest server that says the same as dbguard: what it announces is dbguard's own. */
  readonly since?: 15 | 18;
  /** false: the first client is not logged in; the dialogue sends its first bytes itself. */
  readonly login?: boolean;
}

/**
 * Bytes are sent by the client that is speaking; bytes next to each other leave in one write. The others:
 * - `wait`: until this many more messages of a type have arrived, or the server has closed the connection.
 * - `speak`: the client of this name goes on; it is logged in when it is new.
 * - `observe`: until this query of the superuser, who stands aside, says true.
 * - `cancel`: a CancelRequest with the key of this client, or with a key that is nobody's.
 * - `hangUp`: the client that speaks closes its socket without a word.
 */
export type Step =
  | Buffer
  | { readonly wait: string; readonly times: number }
  | { readonly speak: string }
  | { readonly observe: string }
  | { readonly cancel: string; readonly wrongKey: boolean }
  | { readonly hangUp: true };

export const first = 'first';

export const until = (type: string, times = 1): Step => ({ wait: type, times });
export const ready = (times = 1): Step => until('Z', times);
export const closed = (): Step => until('closed');
export const speak = (client: string): Step => ({ speak: client });
export const observe = (sql: string): Step => ({ observe: sql });
export const cancel = (client: string, options: { wrongKey?: boolean } = {}): Step => ({
  cancel: client,
  wrongKey: options.wrongKey ?? false,
});
export const hangUp = (): Step => ({ hangUp: true });

/** Waits until a client sleeps or waits in the middle of a statement whose text holds `part`: past planning, so with its RowDescription under way. */
export const running = (part: string): Step =>
  observe(
    `SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND wait_event IS NOT NULL AND pid <> pg_backend_pid() AND query LIKE '%${part}%' AND query NOT LIKE '%pg_stat_activity%'`,
  );
