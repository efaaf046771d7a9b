/** Statements that leave it to names what they mean. */
import type { Tag } from '../grammar/tree.js';

/** They leave names and the search_path as they are, unless code runs in them that cannot be seen. */
export const neutral: ReadonlySet<Tag> = new Set<Tag>([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CopyStmt',
  'ExplainStmt',
  'DeclareCursorStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'PrepareStmt',
  'ExecuteStmt',
  'DeallocateStmt',
  'VariableShowStmt',
  'TransactionStmt',
  'ConstraintsSetStmt',
  'LockStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
]);
