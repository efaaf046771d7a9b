/** Commands that read, prove and keep transcripts. */
import { engineNames } from '../../review/views/ddl-engines.js';
import { eventFormats } from '../../review/views/event-formats.js';
import { questionNames } from '../../review/views/questions.js';
import type { CommandEntry } from '../command.js';
import { bucketOptions, dayOptions, transcriptOptions, verificationOptions } from '../shared-options.js';

export const reviewing = [
  {
    path: 'review',
    summary: 'look through recorded sessions on a terminal: search, filter, verify, replay, redact',
    arguments: '[id]',
    options: [
      {
        flags: '--identity <file>',
        description: 'your private key for encrypted recordings: of age-keygen, or ssh-ed25519',
      },
      ...dayOptions,
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard review --bucket s3://audit/dbguard        ? shows the keys'],
  },
  {
    path: 'transcripts list',
    summary: 'list recorded sessions: who, when, where, what was denied',
    options: [
      { flags: '--person <name>', description: 'only this person: part of the e-mail address, or the subject' },
      ...dayOptions,
      { flags: '--connection <name>', description: 'only this connection of dbguard.yaml' },
      { flags: '--asked', description: 'only sessions in which somebody was asked' },
      { flags: '--denied', description: 'only sessions in which something was denied' },
      ...transcriptOptions,
    ],
    examples: [
      'dbguard transcripts list --since 2026-11-23 --denied',
      'dbguard transcripts list --person ada@example.com --json',
    ],
  },
  {
    path: 'transcripts show',
    summary: 'show a session as it happened, and what of it is proven',
    arguments: '<id>',
    options: [
      { flags: '--all', description: 'also heartbeats and seals' },
      ...verificationOptions,
      ...transcriptOptions,
    ],
    examples: ['dbguard transcripts show 01kar6'],
  },
  {
    path: 'transcripts replay',
    summary: 'play a session: what was asked, decided and shown, and the recorded screen',
    arguments: '<id>',
    options: [
      { flags: '--to <file>', description: 'write it as an asciicast, for asciinema’s players' },
      {
        flags: '--identity <file>',
        description: 'your private key for encrypted recordings: of age-keygen, or ssh-ed25519',
      },
      { flags: '--idle <seconds>', description: 'nothing takes longer than this (default: 2)' },
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts replay 01kar6', 'dbguard transcripts replay 01kar6 --to session.cast'],
  },
  {
    path: 'transcripts verify',
    summary: 'verify a session; exit code 0 proven, 1 changed, missing or forged, 2 not all proven',
    arguments: '[id]',
    options: [
      { flags: '--all', description: 'verify every session, and look for missing ones' },
      {
        flags: '--expect <who>',
        description: 'with --all: a person and days that have to be there, or a YAML file with expect, retention_days',
      },
      { flags: '--retention <days>', description: 'how long the bucket keeps sessions: older ones may be gone' },
      ...verificationOptions,
      ...transcriptOptions,
    ],
    examples: [
      'dbguard transcripts verify --all --expect "ada@example.com 2026-11-02..2026-11-27"',
      'dbguard transcripts verify --all --expect team.yaml --retention 400d',
    ],
  },
  {
    path: 'transcripts page',
    summary: 'write sessions into one HTML file that shows and verifies them in a browser, offline',
    arguments: '<ids...>',
    options: [
      { flags: '--to <file>', description: 'the file, or - for stdout (default: dbguard-ID.html)' },
      {
        flags: '--recordings',
        description: 'with what was recorded, as encrypted as it is: the reader’s key opens it',
      },
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts page 01kar6 --to for-the-auditor.html'],
  },
  {
    path: 'transcripts check-bucket',
    summary: 'try out whether the bucket is write-once; exit code 0 it is, 1 it is not, 2 not all found out',
    options: [{ flags: '--read-only', description: 'only ask for its settings, store nothing' }, ...transcriptOptions],
    examples: ['dbguard transcripts check-bucket --bucket s3://audit/dbguard'],
  },
  {
    path: 'transcripts search',
    summary: 'find statements that contain a text',
    arguments: '<text...>',
    options: [
      { flags: '--session <id>', description: 'only this session; the beginning of its id is enough' },
      ...dayOptions,
      ...transcriptOptions,
    ],
    examples: ['dbguard transcripts search "DROP TABLE" --since 2026-11-01'],
  },
  {
    path: 'transcripts query',
    summary: 'ask questions in SQL over all verified sessions; needs DuckDB, and says how to install it',
    arguments: '[sql...]',
    options: [
      {
        flags: '--ask <question>',
        description: `a ready question: ${questionNames.join(', ')}`,
        choices: questionNames,
      },
      { flags: '--views', description: 'list the views, their columns, and the SQL of the ready questions' },
      {
        flags: '--format <name>',
        description: 'table, json, csv or parquet (default: table)',
        choices: ['table', 'json', 'csv', 'parquet'],
      },
      { flags: '--to <file>', description: 'with --format parquet: the file to write' },
      { flags: '--unproven', description: 'also rows that nothing proves to be whose they say' },
      ...dayOptions,
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: [
      'dbguard transcripts query "SELECT person, count(*) FROM statements GROUP BY person"',
      'dbguard transcripts query --ask who-touched public.orders --since 2026-11-01',
    ],
  },
  {
    path: 'transcripts export',
    summary: 'write what is proven for other programs: events for a log collector, or Parquet files',
    options: [
      {
        flags: '--format <name>',
        description: 'events on stdout: json, ocsf or syslog (RFC 5424)',
        choices: eventFormats,
      },
      { flags: '--cursor <file>', description: 'only what was not written before, as this file says; it is moved on' },
      { flags: '--parquet <folder>', description: 'all views as Parquet files by day, in a new folder; needs DuckDB' },
      { flags: '--unproven', description: 'with --parquet: also rows that nothing proves to be whose they say' },
      ...dayOptions,
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts export --format ocsf --day 2026-11-23 > events.jsonl'],
  },
  {
    path: 'transcripts follow',
    summary: 'print new entries as they come and are verified, for a log collector, until Ctrl-C',
    options: [
      { flags: '--format <name>', description: 'json, ocsf or syslog (default: json)', choices: eventFormats },
      { flags: '--cursor <file>', description: 'where it is kept how far it has come' },
      { flags: '--every <time>', description: 'how often the bucket is looked at (default: 10s)' },
      { flags: '--since <date>', description: 'only from this day on' },
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts follow --format syslog --cursor siem.cursor | nc -U /run/collector.sock'],
  },
  {
    path: 'transcripts report',
    summary: 'what happened on a day: people, agents, denials, mass changes, what is missing; needs DuckDB',
    options: [
      { flags: '--day <date>', description: 'which day, as 2026-11-23 (default: yesterday)' },
      { flags: '--format <name>', description: 'markdown or html (default: markdown)', choices: ['markdown', 'html'] },
      { flags: '--log <file>', description: 'a server’s log: what of it went around dbguard' },
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts report --day 2026-11-23 --format html > report.html'],
  },
  {
    path: 'transcripts ddl',
    summary: 'print external tables over the bucket’s objects for an engine of yours; they are not verified',
    arguments: '<engine>',
    argumentChoices: engineNames,
    options: [...bucketOptions],
    examples: ['dbguard transcripts ddl athena --bucket s3://audit/dbguard > tables.sql'],
  },
  {
    path: 'transcripts redact',
    summary: 'take a text out of somebody else’s session, signed, with a reason',
    arguments: '<id>',
    options: [
      { flags: '--entry <n>', description: 'number of the entry, as show prints it' },
      { flags: '--field <name>', description: 'only this text of it: sql, bind, reason (default: all)' },
      { flags: '--reason <text>', description: 'why; it is recorded' },
      { flags: '--to <url>', description: 'also write a copy of the session without the text, to another bucket' },
      ...verificationOptions,
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts redact 01kar6 --entry 12 --field sql --reason "a customer’s name"'],
  },
  {
    path: 'transcripts reconcile',
    summary: 'find connections in the server’s log that went around dbguard; exit code 1 when any did, or may have',
    arguments: '<logs...>',
    options: [
      { flags: '--user <role>', description: 'only connections of this role' },
      { flags: '--database <name>', description: 'only connections to this database' },
      { flags: '--connection <name>', description: 'only transcripts of this connection of dbguard.yaml' },
      {
        flags: '--log-line-prefix <format>',
        description:
          'the server’s setting, with what a log collector puts in front (default: what transcripts recorded)',
      },
      {
        flags: '--utc-offset <offset>',
        description:
          'of times whose zone is an abbreviation: +01:00, or Europe/Berlin (default: what transcripts recorded)',
      },
      ...transcriptOptions,
    ],
    examples: ['dbguard transcripts reconcile postgresql-2026-11-23.log --connection main'],
  },
  {
    path: 'transcripts archive-keys',
    summary: 'keep the issuers’ public keys of today, to verify with after they have rotated',
    options: [
      { flags: '--to <url>', description: 'where, if not into the transcripts’ bucket' },
      { flags: '--issuer <url>', description: 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)' },
      { flags: '--client-id <id>', description: 'client id of dbguard at that issuer' },
      {
        flags: '--workload-issuer <url>',
        description: 'an issuer of CI jobs or services, beside those of dbguard.yaml',
      },
      ...bucketOptions,
    ],
    examples: ['dbguard transcripts archive-keys --to s3://leads-only/'],
  },
  {
    path: 'transcripts revoke-key',
    summary: 'declare a login key lost: sessions that it signs from now on do not count',
    arguments: '<id>',
    options: [
      { flags: '--reason <text>', description: 'what has happened' },
      { flags: '--to <url>', description: 'the leads’ archive, which "verify --keys" then names' },
      { flags: '--since <time>', description: 'from when on, as 2026-11-23T08:00Z (default: now)' },
      ...bucketOptions,
    ],
    examples: [
      'dbguard transcripts revoke-key 01kar6 --reason "laptop stolen" --to s3://leads-only/',
      'dbguard transcripts revoke-key KEY --reason "has left" --since 2026-11-01T00:00Z --to s3://leads-only/',
    ],
  },
] as const satisfies readonly CommandEntry[];
