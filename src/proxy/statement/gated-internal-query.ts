/** What dbguard asks the server on the client's own connection while a statement waits there. */
import { InternalQuery } from '../internal-queries/internal-queries.js';
import type { ConnectionState } from './connection-state.js';
import { boundBy, type GatedMessage, heldStatement } from './gated.js';

/** `obstacle`: why nothing can be asked around this statement, in words. */
export function internalQueryFor(
  state: ConnectionState,
  gated: GatedMessage,
): InternalQuery | { readonly obstacle: string } {
  const { candidate, portal } = gated;
  if (portal && portal.prepared.length !== 1) return { obstacle: 'what the portal runs is not known yet' };
  // the text is sent anew, in UTF-8
  if (state.encoding !== 'UTF8' && !/^\p{ASCII}*$/u.test(candidate.sql))
    return { obstacle: 'client_encoding is not UTF8' };
  const obstacle = InternalQuery.obstacle(state.server, state.registry.otherPortals(portal && candidate.portalName));
  return obstacle === undefined ? newInternalQuery(state, gated) : { obstacle };
}

export function newInternalQuery(state: ConnectionState, gated: GatedMessage): InternalQuery {
  const { candidate, portal } = gated;
  return new InternalQuery({
    server: state.server,
    out: state.outbox.out,
    release: () => state.release(),
    toClient: (bytes) => state.tellClient(bytes),
    cancel: () => state.parts.port.cancel(),
    name: state.parts.missingPortalName,
    portal: portal && {
      name: candidate.portalName ?? '',
      statement: portal.statementName,
      bound: boundBy(portal),
      hidesDiagnostics: heldStatement(state, gated).diagnosticsMasked,
      isBound: () => !gated.unbound?.waits,
    },
  });
}
