/**
 * Whether a server connection that somebody has used is as it was when it was opened: DISCARD ALL, and then the server's own
 * word for all that a session can hold.
 *
 * What lives here: the texts of those questions. What it must not know: who has used it, and who will.
 *
 * A surprise: DISCARD ALL is not enough. SET SESSION AUTHORIZATION DEFAULT takes away a role that came with the startup packet,
 * and the numbers of random() go on from setseed(). What no question can find is for whoever sees the statements
 * (proxy/session-state/leftovers.ts).
 */
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { decodeFields, message } from '../../wire/backend.js';
import { backend, frontend } from '../../wire/messages.js';
import { decodeDataRow, decodeParameterStatus, decodeReadyForQuery } from '../../wire/server-messages.js';
import type { Upstream } from '../upstream/connect.js';
import { Deadline } from '../upstream/deadline.js';
import { protocolFailure, refusedByServer } from '../upstream/failure.js';
import { MessageReader } from '../upstream/message-reader.js';

/** A server that needs longer for these is no help. */
const patienceMs = 5_000;

/** Without state of their own between two calls; of others (PL/Perl, PL/Python) a session keeps variables that nothing resets. */
const languages = "'internal', 'c', 'sql', 'plpgsql'";

/** Names are written out: what the startup packet says of the search_path must not lead them elsewhere. PL/pgSQL's settings come with its first use. */
const stateQuestion = `SELECT pg_catalog.concat_ws('|', pg_catalog.pg_backend_pid(), current_user, session_user,
  pg_catalog.current_setting('role'), pg_catalog.current_setting('session_authorization'), pg_catalog.pg_my_temp_schema(),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_listening_channels()),
  (SELECT pg_catalog.sha256(pg_catalog.textsend(pg_catalog.string_agg(
      pg_catalog.concat_ws('=', s.name, s.setting, s.reset_val), ',' ORDER BY s.name COLLATE pg_catalog."C")))
    FROM pg_catalog.pg_settings s
    WHERE NOT (pg_catalog.starts_with(s.name, 'plpgsql.') AND s.setting OPERATOR(pg_catalog.=) s.boot_val)),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_language l
    WHERE l.lanname OPERATOR(pg_catalog.<>) ALL (ARRAY[${languages}]::pg_catalog.name[])),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_event_trigger e
    WHERE e.evtevent OPERATOR(pg_catalog.=) 'login' AND e.evtenabled OPERATOR(pg_catalog.<>) 'D'))`;

/** No language with a memory, and nothing that runs at each login and that a reset would not run. */
const sharable = '|0|0';
/** No temporary schema, cursor, prepared statement, channel: asked after DISCARD ALL it has to be so. */
const empty = /^\d+\|[^|]*\|[^|]*\|[^|]*\|[^|]*\|0\|0\|0\|0\|/;

/**
 * All that a new session has, as one text to compare; undefined where that cannot be told from what another leaves behind. For a
 * connection that nobody has used. Rejects where it is broken.
 */
export async function stateOf(upstream: Upstream): Promise<string | undefined> {
  const { cell, refused } = await run(upstream, [stateQuestion], new Map());
  return refused ? undefined : provable(upstream, cell);
}

/**
 * Undoes what a client has done, and says what the session has then; undefined where the server would not.
 *
 * @param reported ParameterStatus as of before; as of afterwards when it returns
 */
export async function resetState(upstream: Upstream, reported: Map<string, string>): Promise<string | undefined> {
  // within the 52 bits that setseed() takes
  const seed = randomInt(2 ** 47) / 2 ** 47;
  const texts = ['DISCARD ALL', 'RESET ROLE', `SELECT pg_catalog.setseed(${seed.toFixed(15)})`, stateQuestion];
  const { cell, refused } = await run(upstream, texts, reported);
  return refused ? undefined : provable(upstream, cell);
}

/** It still answers. Rejects where it does not. */
export async function answers(upstream: Upstream): Promise<void> {
  await run(upstream, [''], new Map());
}

function provable({ backendKey }: Upstream, state: string | undefined): string | undefined {
  // a pooler between here and the server may have answered for another session
  if (state === undefined || !state.startsWith(`${backendKey?.pid}|`)) return undefined;
  return empty.test(state) && state.endsWith(sharable) ? state : undefined;
}

interface Answered {
  /** The last one. */
  readonly cell: string | undefined;
  readonly refused: boolean;
}

/** One simple query each: DISCARD ALL cannot run beside others. Anything but their answers is not as new. */
async function run(
  { socket, rest, hostLabel: label }: Upstream,
  texts: readonly string[],
  reported: Map<string, string>,
): Promise<Answered> {
  const deadline = new Deadline(patienceMs, label);
  deadline.guard(socket);
  if (rest.length > 0) socket.unshift(rest);
  const reader = new MessageReader(socket, label);
  try {
    socket.write(Buffer.concat(texts.map((text) => message(frontend.query, Buffer.from(`${text}\0`)))));
    let cell: string | undefined;
    let refused = false;
    for (let left = texts.length; left > 0; ) {
      const reply = await reader.next();
      switch (reply[0]) {
        case backend.dataRow:
          cell = decodeDataRow(reply, 0, reply.length)[0]?.toString('latin1');
          break;
        case backend.errorResponse:
          refused = true;
          if (isFatal(reply)) throw refusedByServer(answerOf(reply), { label, user: '', database: '' });
          break;
        case backend.parameterStatus: {
          const { name, value } = decodeParameterStatus(reply, 0, reply.length);
          reported.set(name, value);
          break;
        }
        case backend.readyForQuery:
          if (decodeReadyForQuery(reply, 0, reply.length) !== 'I')
            throw protocolFailure(label, 'a transaction is open');
          left--;
          break;
        case backend.rowDescription:
        case backend.commandComplete:
        case backend.emptyQueryResponse:
        case backend.noticeResponse:
          break;
        default:
          throw protocolFailure(label, `unexpected message 0x${(reply[0] ?? 0).toString(16)}`);
      }
    }
    return { cell, refused };
  } finally {
    deadline.clear();
    detach(reader, socket);
  }
}

/** What else has come is seen by whoever reads next, and is no answer to what they ask. */
function detach(reader: MessageReader, socket: Socket): void {
  const more = reader.detach();
  if (more.length > 0) socket.unshift(more);
}

function answerOf(reply: Buffer) {
  return { fields: decodeFields(reply, 0, reply.length), raw: Buffer.from(reply) };
}

function isFatal(reply: Buffer): boolean {
  return decodeFields(reply, 0, reply.length).get('V') !== 'ERROR';
}
