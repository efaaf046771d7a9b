/** What the page asks of whoever shows recordings; pages without them carry none of that. */
import type { Row, Rows } from '../../statement-rows.js';
import type { PageData } from '../page-data.js';
import type { VerifiedSession } from '../verify-page.js';

export interface Recorded {
  /** State of the chunks, the key, the player. */
  readonly element: HTMLElement;
  /** What lies in the place of recordings and is something else; a sentence each, for the verdict over the page. */
  readonly faults: readonly string[];
  /** What came of a statement; undefined where nothing is known. */
  of(row: Row): HTMLElement | undefined;
  /** The page's sessions were verified: chunks are held against what their chains say. */
  verified(sessions: readonly VerifiedSession[], rows: Rows): Promise<void>;
}

/**
 * @param changed more is known than before
 * @param failed whatever went wrong while a key was tried
 */
export type MakeRecorded = (data: PageData, changed: () => void, failed: (error: unknown) => void) => Recorded;
