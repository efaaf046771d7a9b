/** Facts of what reaches the server without being SQL text that the grammar could read. */
import type { Ruling } from '../../policy/decision.js';
import type { Facts } from '../../sql/facts.js';

/** The bytes are not text in an encoding that can be read with certainty. */
export const unreadable: Facts = {
  statements: [],
  unparseable: {
    reason: 'encoding',
    message: 'the statement is not valid text in the client encoding, or the encoding cannot be read safely',
  },
};

/** The message is longer than dbguard holds in memory; it was never kept. */
export function tooLarge(limit: number): Facts {
  return {
    statements: [],
    unparseable: { reason: 'too-large', message: `the message is longer than the limit of ${limit} bytes` },
  };
}

/** Its bytes are gone, so that no policy can let it through. */
export const tooLargeRuling: Ruling = {
  decision: 'deny',
  rule: 'builtin:too-large',
  origin: 'dbguard',
  reason: 'The message is longer than dbguard holds in memory.',
};

/** FunctionCall names a function by OID and runs it past the SQL grammar ("Function Call" in the PostgreSQL manual). */
export function functionFacts(oid: number): Facts {
  return {
    statements: [
      {
        command: 'FUNCTION CALL',
        start: 0,
        end: 0,
        effects: [
          { kind: 'function-call', targets: [{ type: 'function', name: `oid ${oid}` }], bounded: true, opaque: true },
        ],
        functions: [],
        parameters: 0,
        deferred: false,
      },
    ],
  };
}
