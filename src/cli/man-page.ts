/** The man page, from the command table and the list of chapters: man(7), for any troff. */
import { chapters, chapterText } from './chapters.js';
import type { CommandEntry } from './command.js';
import { asciiSigns } from './print/printable-output.js';
import { dbguardVersion } from './version.js';

export function manPage(table: readonly CommandEntry[]): string {
  return [
    `.TH DBGUARD 1 "" "dbguard ${roff(dbguardVersion)}" "User Commands"`,
    '.SH NAME',
    'dbguard \\- a signed, approved and masked path between an AI coding agent and PostgreSQL',
    '.SH SYNOPSIS',
    '.B dbguard',
    '.RI [ command ]',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    'Without a command it says how things stand, and which commands matter now.',
    '.SH COMMANDS',
    ...table.flatMap(commandLines),
    '.SH TOPICS',
    'Read with',
    '.BR "dbguard help " \\fITOPIC\\fR.',
    ...Object.entries(chapters).flatMap(([topic, { about }]) => ['.TP', `.B ${roff(topic)}`, roff(about)]),
    '.SH EXIT STATUS',
    ...exitCodes().flatMap(([code, meaning]) => ['.TP', `.B ${roff(code)}`, roff(meaning)]),
    '',
  ].join('\n');
}

function commandLines({ path, arguments: operands, summary, options = [], examples = [] }: CommandEntry): string[] {
  return [
    `.SS "${roff(`dbguard ${path}${operands === undefined ? '' : ` ${operands}`}`)}"`,
    `${roff(summary)}.`,
    ...options.flatMap(({ flags, description }) => ['.TP', `.B "${roff(flags)}"`, roff(description)]),
    ...(examples.length === 0
      ? []
      : ['.PP', 'Examples:', '.PP', '.nf', ...examples.map((one) => `    ${roff(one)}`), '.fi']),
  ];
}

/** A backslash, a hyphen, a quote in an argument, and a control character at the beginning mean something to troff. */
function roff(text: string): string {
  const plain = asciiSigns(text);
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** As the reference has them. */
function exitCodes(): (readonly [string, string])[] {
  const [, table = ''] = chapterText('configuration').split(/^## Exit codes$/m);
  return [...table.matchAll(/^\| ([\d, ]+) \| (.+) \|$/gm)].map(([, code = '', meaning = '']) => [code, meaning]);
}
