/**
 * A text that no grammar of ours reads, put to the server, which is asked to read it and not to run it.
 *
 * What lives here: that one question, and what the client hears of its answer. What it must not know: policy, people.
 */
import { decodeFields } from '../../wire/backend.js';
import { encodeParse, flushMessage, syncMessage } from '../../wire/extended-query.js';
import { backend } from '../../wire/messages.js';
import type { Admission, Candidate } from '../candidate.js';
import type { Outgoing } from '../outgoing.js';
import type { ServerSide } from '../server/server-side.js';
import type { StatementJournal } from './statement-journal.js';

/** What the server said to a text that no grammar of ours reads. */
type ProbeResult = 'rejected' | 'parsed';

export interface ProbeParts {
  readonly candidate: Candidate;
  /** Of a simple Query: the client's own bytes, in its encoding. */
  readonly text: Buffer;
  readonly admission: Admission;
  readonly journal: StatementJournal;
  readonly server: ServerSide;
  readonly out: Outgoing;
  /** Lets what is in `out` go to the server, journal first. */
  readonly release: () => void;
  readonly toClient: (message: Buffer) => void;
}

/** No grammar of ours reads it; most probably the server's does not either. Only a simple Query can be tried out. */
export function isMaybeTypo(candidate: Candidate): boolean {
  return candidate.kind === 'query' && candidate.facts.unparseable?.reason === 'syntax';
}

/**
 * A text that our grammars reject is most often a typo, which the server rejects as well. Parse makes the server
 * read it without running it; its own error is what the client should see. What it does accept is asked about.
 *
 * In a transaction, be it an implicit one, what the server accepts must leave that as it was: no Sync then, and no
 * text of several commands, which Parse takes for an error.
 */
export function probe(parts: ProbeParts): Promise<ProbeResult> {
  const { server, out, candidate, admission, journal, release, toClient, text } = parts;
  const implicit = server.responses.pipeline !== 'none';
  if ((implicit || server.transactionStatus === 'T') && mayBeSeveral(candidate.sql)) return Promise.resolve('parsed');
  return new Promise((resolve) => {
    let error: Buffer | undefined;
    let parsed = false;
    const sync = (): void => {
      server.responses.expect({
        kind: 'sync',
        sink: (type, bytes, start, end) => {
          if (type !== backend.readyForQuery) return;
          if (error === undefined || parsed) {
            resolve('parsed');
            return;
          }
          toClient(error);
          toClient(Buffer.from(bytes.subarray(start, end)));
          journal.recordRejected(admission, decodeFields(error, 0, error.length).get('C') ?? '');
          resolve('rejected');
        },
      });
      out.pushMessage(syncMessage);
    };
    server.responses.expect({
      kind: 'parse',
      sink: (type, bytes, start, end) => {
        if (type === backend.parseComplete && implicit) resolve('parsed');
        if (type !== backend.errorResponse) return;
        const fields = decodeFields(bytes, start, end);
        // "cannot insert multiple commands into a prepared statement" comes after the text was read
        parsed = fields.get('C') === '42601' && fields.get('R') === 'exec_parse_message';
        error = Buffer.from(bytes.subarray(start, end));
        if (!implicit) return;
        sync();
        release();
      },
    });
    out.pushMessage(encodeParse('', text));
    if (implicit) out.pushMessage(flushMessage);
    else sync();
    release();
  });
}

/** Something stands behind a semicolon. */
function mayBeSeveral(sql: string): boolean {
  return /;\s*\S/.test(sql);
}
