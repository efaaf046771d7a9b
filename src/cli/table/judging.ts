/** Commands that hold policies, masks and access against SQL and the database. */
import type { CommandEntry } from '../command.js';
import { configOption, judgingOptions } from '../shared-options.js';

export const judging = [
  {
    path: 'explain',
    summary: 'show what a statement does, what the policy decides, and why',
    arguments: '[sql]',
    options: [
      { flags: '--stdin', description: 'read the SQL from stdin; with --json lines of {"id", "sql"}' },
      { flags: '--json', description: 'print JSON; one line for each line of --stdin' },
      ...judgingOptions,
    ],
    examples: [
      'dbguard explain "DELETE FROM orders"',
      'dbguard explain --connection staging "UPDATE orders SET paid = true"',
      'dbguard explain --stdin --json < statements.jsonl',
    ],
  },
  {
    path: 'policy test',
    summary: 'list the statements of SQL files that would need a person; exit code 1 when any would or cannot be read',
    arguments: '<files...>',
    options: [{ flags: '--json', description: 'print every statement as a line of JSON' }, ...judgingOptions],
    examples: ['dbguard policy test migrations/*.sql'],
  },
  {
    path: 'policy lint',
    summary: 'find unknown keys, rules that never decide and contradictions',
    arguments: '[files...]',
    options: [{ flags: '--json', description: 'print every finding as a line of JSON' }, configOption],
    examples: ['dbguard policy lint', 'dbguard policy lint --json team.yaml'],
  },
  {
    path: 'policy schema',
    summary: 'print the JSON schema of dbguard.yaml, for editors that complete it',
    examples: ['dbguard policy schema > dbguard.schema.json'],
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
    examples: ['dbguard mask check --connection staging --subject ada@example.com'],
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
    examples: ['dbguard mask suggest', 'dbguard mask suggest --no-sample --write'],
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
    examples: ['dbguard access check --connection staging'],
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
    examples: ['dbguard access list'],
  },
  {
    path: 'access end',
    summary: 'end what was given, before its time is over',
    arguments: '<name>',
    options: [{ flags: '--session <id>', description: 'first characters of the session, where several are active' }],
    examples: ['dbguard access end fix-orders'],
  },
] as const satisfies readonly CommandEntry[];
