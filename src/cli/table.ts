import type { CommandEntry, CommandOption, OptionsFrom } from './command.js';
import { liveLists, shells } from './completion-words.js';
import { bucketOptions } from './shared-options.js';
import { guarding } from './table/guarding.js';
import { judging } from './table/judging.js';
import { reviewing } from './table/reviewing.js';
import { settingUp } from './table/setting-up.js';

/** Every command of dbguard, in the order of `--help`. */
export const commandTable = [
  ...settingUp,
  ...guarding,
  ...judging,
  ...reviewing,
  {
    path: 'upload',
    summary: 'bring to the bucket what earlier sessions left on this machine',
    options: [{ flags: '--any-bucket', description: 'also sessions that began in another bucket' }, ...bucketOptions],
    examples: ['dbguard upload', 'dbguard upload --any-bucket --bucket s3://audit/dbguard'],
  },
  {
    path: 'instructions',
    summary: 'text for an agent’s instruction file (AGENTS.md, CLAUDE.md)',
    examples: ['dbguard instructions >> AGENTS.md'],
  },
  {
    path: 'completions',
    summary: 'print a completion script for a shell',
    arguments: '[shell]',
    argumentChoices: shells,
    options: [
      { flags: '--all <folder>', description: 'write the scripts of every shell into a folder' },
      {
        flags: '--values <list>',
        description: `what the scripts ask for: ${liveLists.join(', ')} of now`,
        choices: liveLists,
      },
    ],
    examples: [
      'dbguard completions bash > ~/.local/share/bash-completion/completions/dbguard',
      'dbguard completions powershell >> $PROFILE',
    ],
  },
  {
    path: 'version',
    summary: 'which dbguard this is; with --verify whether its files are the released ones',
    options: [
      {
        flags: '--verify',
        description: 'hold what is installed to the signed list; exit code 1 changed, 2 not proven',
      },
      {
        flags: '--key <file>',
        description: 'with --verify: the project’s public key (PEM) in place of the one built in',
      },
      { flags: '--folder <path>', description: 'with --verify: another installation than this one' },
      { flags: '--json', description: 'print JSON' },
    ],
    examples: [
      'dbguard version --verify',
      'dbguard version --verify --folder /usr/lib/dbguard --key dbguard-release.pem',
    ],
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
