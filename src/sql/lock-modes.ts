/** Locks, and what each keeps from other sessions: "Explicit Locking" in the PostgreSQL manual. */

/** LOCK TABLE modes, row locks, advisory locks. */
export type LockMode =
  | 'ACCESS SHARE'
  | 'ROW SHARE'
  | 'ROW EXCLUSIVE'
  | 'SHARE UPDATE EXCLUSIVE'
  | 'SHARE'
  | 'SHARE ROW EXCLUSIVE'
  | 'EXCLUSIVE'
  | 'ACCESS EXCLUSIVE'
  | 'FOR KEY SHARE'
  | 'FOR SHARE'
  | 'FOR NO KEY UPDATE'
  | 'FOR UPDATE'
  | 'ADVISORY';

/** What others cannot do with the table meanwhile; `rows`: those that are locked cannot be written. */
export type LockReach = 'reads and writes' | 'writes' | 'rows' | 'none';

export const lockReach: Readonly<Record<LockMode, LockReach>> = {
  'ACCESS SHARE': 'none',
  'ROW SHARE': 'none',
  'ROW EXCLUSIVE': 'none',
  'SHARE UPDATE EXCLUSIVE': 'none',
  SHARE: 'writes',
  'SHARE ROW EXCLUSIVE': 'writes',
  EXCLUSIVE: 'writes',
  'ACCESS EXCLUSIVE': 'reads and writes',
  'FOR KEY SHARE': 'rows',
  'FOR SHARE': 'rows',
  'FOR NO KEY UPDATE': 'rows',
  'FOR UPDATE': 'rows',
  ADVISORY: 'none',
};
