/** The columns of the view `sessions`: what a session's report and its opening entry say. */
import { subjectName } from '../../identity/subject-name.js';
import { at, type SessionColumn } from './column.js';
import type { SessionReading } from './session-reading.js';

function ofOpen(name: string, path: string, words: string, type: SessionColumn['type'] = 'text'): SessionColumn {
  return { name, type, words, from: { open: path }, of: ({ report }) => at(report.open, path) };
}

function ofReport(
  name: string,
  type: SessionColumn['type'],
  words: string,
  of: (reading: SessionReading) => unknown,
): SessionColumn {
  return { name, type, words, from: { reading: words }, of };
}

const us = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms * 1000);

export const sessionColumns: readonly SessionColumn[] = [
  { name: 'sid', type: 'text', words: 'the session’s id', from: { object: 'sid' }, of: ({ report }) => report.sid },
  {
    name: 'folder',
    type: 'text',
    words: 'the hash in its key: of the issuer and the subject',
    from: { object: 'folder' },
    of: ({ folder }) => folder,
  },
  ofReport(
    'verification',
    'text',
    '`proven`, `local` (all but who), `unproven` or `invalid`, as `verify` says',
    ({ report }) => report.verdict,
  ),
  ofReport('state', 'text', '`complete`, `open` (it may still run) or `unsealed`', ({ report }) => report.state),
  ofReport('findings', 'texts', 'what `verify` found, by its codes; notes left out', ({ report }) => [
    ...new Set(report.findings.flatMap(({ severity, code }) => (severity === 'note' ? [] : [code]))),
  ]),
  ofReport('proven_level', 'text', 'the level of evidence that was really proven', ({ report }) => report.level),
  {
    name: 'person',
    type: 'text',
    words: 'the e-mail address, else the subject; of a local key, its first letters',
    from: { open: 'subject.email' },
    of: ({ report }) => report.open && subjectName(report.open.subject),
  },
  ofOpen('issuer', 'subject.iss', 'who says so'),
  ofOpen('subject', 'subject.sub', 'the issuer’s name for the person'),
  ofOpen('level', 'level', 'the level of evidence that the session claims'),
  ofOpen('method', 'method', 'how the login was made'),
  {
    name: 'logged_in_at',
    type: 'time',
    words: 'when',
    from: { open: 'loggedInAt', unit: 'ms' },
    of: ({ report }) => us(report.open?.loggedInAt),
  },
  ofOpen('agent', 'agent', 'the command that was run'),
  ofOpen('connection', 'connection.name', 'its name in dbguard.yaml'),
  ofOpen('environment', 'connection.environment', 'what the database is for'),
  ofOpen('host', 'connection.host', 'of the server'),
  ofOpen('port', 'connection.port', 'of the server', 'whole'),
  ofOpen('database', 'connection.database', 'on the server'),
  ofOpen('login', 'connection.user', 'the role on the server'),
  ofOpen('server_version', 'connection.serverVersion', 'as the server says'),
  ofOpen('policy', 'policy.name', 'which policy decided'),
  ofOpen('policy_digest', 'policy.digest', 'its SHA-256'),
  ofOpen('version', 'version', 'of dbguard'),
  ofOpen('previous_sid', 'previous.sid', 'the session before it on the same machine'),
  ofReport('opened_at', 'time', 'by the writer’s clock', ({ report }) => us(report.openedAt)),
  ofReport('last_entry_at', 'time', 'by the writer’s clock', ({ report }) => us(report.lastEntryAt)),
  ofReport('first_stored_at', 'time', 'by the bucket’s clock', ({ report }) => us(report.firstStoredAt)),
  ofReport('last_stored_at', 'time', 'by the bucket’s clock', ({ report }) => us(report.lastStoredAt)),
  ofReport('entries', 'whole', 'how many', ({ report }) => report.entries),
  ofReport('statements', 'whole', 'how many', ({ report }) => report.statements),
  ofReport('asked', 'whole', 'statements that were asked about', ({ report }) => report.asked),
  ofReport('denied', 'whole', 'verdicts that did not allow', ({ report }) => report.denied),
  ofReport('redacted', 'whole', 'texts that a reviewer has taken out', ({ report }) => report.redacted),
];
