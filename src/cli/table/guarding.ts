/** Commands that guard a database, and those that answer what is asked there. */
import { sandboxNetworks } from '../../policy/read-sandbox.js';
import type { CommandEntry } from '../command.js';
import { deployKinds } from '../deploy/deploy-kinds.js';
import { configOption, guardOptions, identityOptions } from '../shared-options.js';

export const guarding = [
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
    path: 'deploy',
    summary: 'print or write the files that put a gateway, or a CI job’s guarded way, where they belong',
    arguments: '<what>',
    argumentChoices: deployKinds,
    options: [
      { flags: '--to <folder>', description: 'write them there instead of printing them' },
      { flags: '--force', description: 'replace files that are there' },
      { flags: '--image <reference>', description: 'the gateway’s image (default: dbguard:VERSION)' },
    ],
    examples: [
      'dbguard deploy kubernetes | kubectl apply -f -',
      'dbguard deploy compose --to trial           a gateway, a database and a provider to try',
      'dbguard deploy github --to .                a workflow that migrates through dbguard',
    ],
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
    examples: ['dbguard hook claude        what dbguard run writes into the hooks of an agent; not for typing'],
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
] as const satisfies readonly CommandEntry[];
