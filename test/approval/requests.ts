/** Approval requests for tests. */
import type { ApprovalRequest } from '../../src/proxy/statement/asker.js';
import type { Facts } from '../../src/sql/facts.js';

export function facts(kind: 'delete' | 'drop' | 'update' | 'insert', table: string, bounded = false): Facts {
  const effect = { kind, targets: [{ type: 'table' as const, name: table }], bounded, opaque: false };
  const statement = {
    command: kind.toUpperCase(),
    start: 0,
    end: 10,
    effects: [effect],
    functions: [],
    parameters: 0,
    deferred: false,
  };
  return { statements: [statement] };
}

export function request(changes: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    id: '1-1',
    sid: 'session-1',
    entry: 3,
    connectionNumber: 1,
    agent: 'claude',
    subject: 'anna@example.com',
    connection: 'shop',
    database: 'shop',
    user: 'app',
    environment: 'production',
    searchPath: 'public',
    sql: 'DELETE FROM orders',
    bindValues: [],
    facts: facts('delete', 'orders'),
    ruling: {
      decision: 'ask',
      rule: 'builtin:delete-unbounded',
      origin: 'built-in guarded profile',
      reason: 'It deletes every row of a table.',
    },
    transactionStatus: 'I',
    impact: {
      estimatedRows: 10482,
      lines: [
        { label: 'rows', text: "about 10,482 by the planner's estimate", severity: 'danger' },
        { label: 'orders', text: 'about 10,482 rows, 1264 kB', severity: 'info' },
        {
          label: 'referenced by order_items',
          text: 'about 31,204 rows; its rows are deleted too (ON DELETE CASCADE)',
          severity: 'danger',
        },
      ],
    },
    askedAt: 1_000_000,
    expiresAt: 1_060_000,
    ...changes,
  };
}
