/** target_session_attrs: whether a server that let us in is one that we want. */
import { decodeFields, message } from '../../wire/backend.js';
import { backend, frontend } from '../../wire/messages.js';
import { decodeDataRow } from '../../wire/server-messages.js';
import type { TargetSessionAttrs } from './config.js';
import { protocolFailure, refusedByServer } from './failure.js';
import { MessageReader } from './message-reader.js';
import type { StartedSession } from './start-session.js';

interface ServerState {
  readonly readOnly: boolean;
  readonly standby: boolean;
}

const wanted: Readonly<Record<Exclude<TargetSessionAttrs, 'any'>, (state: ServerState) => boolean>> = {
  'read-write': (state) => !state.readOnly && !state.standby,
  'read-only': (state) => state.readOnly || state.standby,
  primary: (state) => !state.standby,
  standby: (state) => state.standby,
  'prefer-standby': (state) => state.standby,
};

/** Since PostgreSQL 14 the server reports what is needed; older ones are asked. `session.rest` is used up then. */
export async function hasSessionAttrs(
  attrs: TargetSessionAttrs,
  session: StartedSession,
  target: { label: string; user: string; database: string },
): Promise<boolean> {
  if (attrs === 'any') return true;
  const readOnly = session.parameters.get('default_transaction_read_only');
  const standby = session.parameters.get('in_hot_standby');
  if (readOnly !== undefined && standby !== undefined) {
    return wanted[attrs]({ readOnly: readOnly === 'on', standby: standby === 'on' });
  }
  const answers = [
    await ask(session, target, 'SHOW transaction_read_only'),
    await ask(session, target, 'SELECT pg_catalog.pg_is_in_recovery()'),
  ];
  return wanted[attrs]({ readOnly: answers[0] === 'on', standby: answers[1] === 't' });
}

/** The answer of one row and one column. */
export async function ask(
  session: Pick<StartedSession, 'socket'>,
  target: { label: string; user: string; database: string },
  sql: string,
): Promise<string | undefined> {
  const reader = new MessageReader(session.socket, target.label);
  try {
    session.socket.write(message(frontend.query, Buffer.from(`${sql}\0`, 'utf8')));
    let answer: string | undefined;
    for (;;) {
      const reply = await reader.next();
      switch (reply[0]) {
        case backend.dataRow:
          answer = decodeDataRow(reply, 0, reply.length)[0]?.toString('utf8');
          break;
        case backend.errorResponse:
          throw refusedByServer({ fields: decodeFields(reply, 0, reply.length), raw: Buffer.from(reply) }, target);
        case backend.readyForQuery:
          return answer;
        case backend.parameterStatus:
        case backend.noticeResponse:
        case backend.rowDescription:
        case backend.commandComplete:
          break;
        default:
          throw protocolFailure(target.label, `unexpected message 0x${(reply[0] ?? 0).toString(16)}`);
      }
    }
  } finally {
    const rest = reader.detach();
    if (rest.length > 0) session.socket.unshift(rest);
  }
}
