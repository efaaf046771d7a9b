import { profileNames } from '../policy/profiles.js';
import { environments } from '../policy/read-connection.js';
import { sandboxNetworks } from '../policy/read-sandbox.js';
import { engineNames } from '../review/views/ddl-engines.js';
import { eventFormats } from '../review/views/event-formats.js';
import { questionNames } from '../review/views/questions.js';
import type { CommandEntry, CommandOption, OptionsFrom } from './command.js';
import {
  bucketOptions,
  configOption,
  dayOptions,
  guardOptions,
  identityOptions,
  judgingOptions,
  transcriptOptions,
  verificationOptions,
} from './shared-options.js';

/** Every command of dbguard, in the order of `--help`. */
export const commandTable = [
  {
    path: 'init',
    summary: 'write a commented dbguard.yaml',
    options: [
      { flags: '--url <url>', description: 'database, as psql takes it; a password in it is left out' },
      { flags: '--service <name>', description: 'database by its name in pg_service.conf' },
      { flags: '--name <name>', description: 'what to call the connection (default: main)' },
      {
        flags: '--environment <name>',
        description: 'what the database is for (default: production)',
        choices: environments,
      },
      { flags: '--issuer <url>', description: 'OpenID Connect issuer' },
      { flags: '--client-id <id>', description: 'client id of dbguard at that issuer' },
      { flags: '--bucket <url>', description: 'where transcripts go: s3://bucket/prefix or file:./folder' },
      { flags: '--profile <name>', description: 'built-in policy profile (default: guarded)', choices: profileNames },
      { flags: '--user', description: 'write your own file, which holds in every folder' },
      { flags: '--force', description: 'replace a file that is there' },
    ],
  },
  {
    path: 'doctor',
    summary: 'look at this machine and these settings, each with what mends it; exit code 1 when something fails',
    options: [
      { flags: '--json', description: 'print JSON' },
      { flags: '--fix', description: 'mend what can be mended without losing anything' },
      configOption,
    ],
    examples: ['dbguard doctor', 'dbguard doctor --json | jq ".checks[] | select(.state != \\"ok\\")"'],
  },
  {
    path: 'trust',
    summary: 'say that this repository’s dbguard.yaml may lead your credentials where it says',
    options: [
      { flags: '--yes', description: 'without a question, where nobody sits at a terminal' },
      { flags: '--forget', description: 'take back what you said of this repository' },
      {
        flags: '--forget-server <server>',
        description: 'host:port of a server that was set up anew: demand no earlier proof of it',
      },
    ],
  },
  {
    path: 'login',
    summary: 'log in at your identity provider and bind this machine’s signing key to you',
    options: [
      {
        flags: '--browser',
        description: 'log in through a browser on this machine: stronger evidence than a device code',
      },
      { flags: '--no-open', description: 'never offer to open the browser' },
      { flags: '--qr', description: 'also show the page as a QR code, to confirm on a phone' },
      {
        flags: '--redirect-uri <uri>',
        description: 'loopback address that the browser comes back to; implies --browser',
      },
      { flags: '--token-file <path>', description: 'log in with a token that a CI system or platform wrote to a file' },
      ...identityOptions,
    ],
  },
  {
    path: 'logout',
    summary: 'forget the login here and revoke it at the issuer',
    options: identityOptions,
  },
  {
    path: 'mark',
    summary: 'choose the words by which you know a true approval prompt',
    options: identityOptions,
  },
  {
    path: 'whoami',
    summary: 'who is logged in, until when, how well proven, and where it is kept',
    options: [{ flags: '--json', description: 'print JSON' }, ...identityOptions],
  },
  {
    path: 'run',
    summary: 'run an agent or any client; it sees only the guarded database',
    arguments: '<command...>',
    options: [
      {
        flags: '--sandbox',
        description: 'in a fence, or not at all (default: in a fence where the machine can; sandbox in dbguard.yaml)',
      },
      { flags: '--no-sandbox', description: 'without a fence, unless a file requires it' },
      {
        flags: '--network <kind>',
        description:
          'of the fence: shared with this machine, or guarded: the database, hosts on a list, others when you allow them',
        choices: sandboxNetworks,
      },
      ...guardOptions,
    ],
    examples: [
      'dbguard run -- claude-code                  an agent, with the default connection',
      'dbguard run --connection staging -- psql',
      'dbguard run --profile read-only -- node report.js',
      'dbguard run --network guarded -- codex      it reaches your project, the database, and the hosts on a list',
    ],
    passThrough: true,
  },
  {
    path: 'proxy',
    summary: 'the same proxy without a command, for a GUI, a script or a test suite; runs until SIGTERM',
    options: [
      { flags: '--listen <address>', description: 'loopback address and port (default: 127.0.0.1:0, a free port)' },
      { flags: '--password-file <path>', description: 'take the loopback password from this file' },
      { flags: '--json', description: 'print one line of JSON when ready' },
      ...guardOptions,
    ],
    examples: ['dbguard proxy --listen 127.0.0.1:6432        prints the connection string for a GUI'],
  },
  {
    path: 'serve',
    summary: 'a gateway for a team: everybody comes in by a token of their own, over TLS; runs until SIGTERM',
    options: [{ flags: '--json', description: 'print one line of JSON when it listens' }, configOption],
    examples: ['dbguard serve --config /etc/dbguard/dbguard.yaml'],
  },
  {
    path: 'token',
    summary: 'print a fresh token for a gateway: what a driver takes as its password',
    options: [
      { flags: '--audience <name>', description: 'what it is for (default: identity.gateway.audience)' },
      ...identityOptions,
    ],
    examples: ['PGPASSWORD=$(dbguard token) psql "host=db-gateway.example.com dbname=shop sslmode=verify-full"'],
  },
  {
    path: 'mcp',
    summary: 'the same as an MCP server on stdin and stdout, for an agent that is not started by dbguard',
    options: [
      {
        flags: '--hold <seconds>',
        description: 'how long a call waits for a person before it gets a ticket (default: 20, the most)',
      },
      ...guardOptions,
    ],
    examples: ['claude mcp add dbguard -- dbguard mcp --connection staging', 'codex mcp add dbguard -- dbguard mcp'],
  },
  {
    path: 'hook',
    summary: 'for hooks of an agent inside of a run: hands on what it says it was asked for',
    arguments: '<agent>',
  },
  {
    path: 'approvals',
    summary: 'answer in a second terminal what waits for approval',
    options: [
      { flags: '--list', description: 'print what waits and leave' },
      { flags: '--json', description: 'print what waits as JSON and leave' },
      { flags: '--team', description: 'what others ask a second person for, in the bucket' },
      { flags: '--follow', description: 'with --team: stay, and ask about one after the other' },
    ],
    examples: ['dbguard approvals --team --follow        answer what your colleagues’ agents wait for'],
  },
  {
    path: 'approve',
    summary: 'let a waiting statement run',
    arguments: '<id>',
    options: [{ flags: '--session', description: 'and exactly this statement for the rest of the session' }],
    examples: [
      'dbguard approve 1-2           of a run of yours',
      'dbguard approve 8xk2mq0v      of a colleague, as the second person',
    ],
  },
  {
    path: 'deny',
    summary: 'stop a waiting statement',
    arguments: '<id>',
    options: [{ flags: '--reason <text>', description: 'why; the agent reads it' }],
    examples: ['dbguard deny 8xk2mq0v --reason "in batches, please"'],
  },
  {
    path: 'explain',
    summary: 'show what a statement does, what the policy decides, and why',
    arguments: '[sql]',
    options: [
      { flags: '--stdin', description: 'read the SQL from stdin; with --json lines of {"id", "sql"}' },
      { flags: '--json', description: 'print JSON; one line for each line of --stdin' },
      ...judgingOptions,
    ],
  },
  {
    path: 'policy test',
    summary: 'list the statements of SQL files that would need a person; exit code 1 when any would or cannot be read',
    arguments: '<files...>',
    options: [{ flags: '--json', description: 'print every statement as a line of JSON' }, ...judgingOptions],
  },
  {
    path: 'policy lint',
    summary: 'find unknown keys, rules that never decide and contradictions',
    arguments: '[files...]',
    options: [{ flags: '--json', description: 'print every finding as a line of JSON' }, configOption],
  },
  {
    path: 'mask check',
    summary: 'hold the masks against the database: what an agent would see; exit code 1 when a name matches no column',
    options: [
      { flags: '--json', description: 'print JSON' },
      { flags: '--connection <name>', description: 'connection of dbguard.yaml (default: default_connection)' },
      { flags: '--subject <name>', description: 'only masks that hold for this person' },
      configOption,
    ],
  },
  {
    path: 'mask suggest',
    summary: 'find columns that look like personal data or secrets, and write the rules that mask them',
    options: [
      { flags: '--write', description: 'add them to dbguard.yaml' },
      { flags: '--no-sample', description: 'by names, types, comments and statistics alone: read no values' },
      { flags: '--json', description: 'print JSON' },
      { flags: '--connection <name>', description: 'connection of dbguard.yaml (default: default_connection)' },
      configOption,
    ],
  },
  {
    path: 'access setup',
    summary: 'print the SQL that makes a login which has little by itself, and the roles of access',
    options: [
      { flags: '--login <name>', description: 'what to call the login' },
      { flags: '--apply', description: 'run it, once it has been approved' },
      { flags: '--json', description: 'print JSON' },
      { flags: '--connection <name>', description: 'connection of dbguard.yaml (default: default_connection)' },
      configOption,
    ],
    examples: ['dbguard access setup --login shop_agent > setup.sql'],
  },
  {
    path: 'access check',
    summary: 'what the database login can do on its own, and the SQL that takes it away',
    options: [
      { flags: '--json', description: 'print JSON' },
      { flags: '--connection <name>', description: 'connection of dbguard.yaml (default: default_connection)' },
      configOption,
    ],
  },
  {
    path: 'access grant',
    summary: 'let statements of an active run be a role for a time, without a question for each',
    arguments: '<name>',
    options: [
      { flags: '--for <time>', description: 'how long, such as 15m (default: what the entry allows)' },
      { flags: '--reason <text>', description: 'why: recorded in the transcript' },
      { flags: '--session <id>', description: 'first characters of the session, where several are active' },
    ],
    examples: ['dbguard access grant fix-orders --for 15m --reason INC-42'],
  },
  {
    path: 'access list',
    summary: 'what the active runs have for a time, and what they could be given',
    options: [{ flags: '--json', description: 'print JSON' }],
  },
  {
    path: 'access end',
    summary: 'end what was given, before its time is over',
    arguments: '<name>',
    options: [{ flags: '--session <id>', description: 'first characters of the session, where several are active' }],
  },
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
  {
    path: 'upload',
    summary: 'bring to the bucket what earlier sessions left on this machine',
    options: [{ flags: '--any-bucket', description: 'also sessions that began in another bucket' }, ...bucketOptions],
  },
  {
    path: 'instructions',
    summary: 'text for an agent’s instruction file (AGENTS.md, CLAUDE.md)',
  },
  {
    path: 'completions',
    summary: 'print a completion script for a shell',
    arguments: '[shell]',
    argumentChoices: ['bash', 'zsh', 'fish'],
    options: [{ flags: '--all <folder>', description: 'write the scripts of every shell into a folder' }],
  },
] as const satisfies readonly CommandEntry[];

/** What a group of commands is about, for `dbguard --help`. */
export const groupSummaries: Readonly<Record<string, string>> = {
  access: 'what the database login may do by itself',
  transcripts: 'list, read and verify signed transcripts',
  mask: 'what is masked in the database, and what should be',
  policy: 'test and check policies',
};

type Row = (typeof commandTable)[number];
export type CommandPath = Row['path'];
type RowOf<Path extends CommandPath> = Extract<Row, { readonly path: Path }>;

/** What the command at `Path` gets from its own flags: a flag that is not in its row does not compile. */
export type OptionsOf<Path extends CommandPath> =
  RowOf<Path> extends { readonly options: infer Options extends readonly CommandOption[] }
    ? OptionsFrom<Options>
    : Readonly<Record<never, never>>;

type AnyOption = Extract<Row, { readonly options: readonly CommandOption[] }>['options'][number];

/** Every flag of every command, for what several of them share. */
export type OptionValues = OptionsFrom<readonly AnyOption[]>;

/** The rows as what has no interest in the flags of one of them sees them. */
export const commandEntries: readonly CommandEntry[] = commandTable;
