/** `dbguard transcripts query`: SQL, or a ready question, over the verified bucket. The SQL reaches the views and nothing else. */
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { shownColumns, viewNames } from '../../review/views/duckdb-sql.js';
import { questionNames, questions } from '../../review/views/questions.js';
import { entryViews } from '../../review/views/view-table.js';
import type { CommandContext } from '../command.js';
import { oneOfOption, textOption } from '../options.js';
import { paged } from '../print/paged.js';
import { outputStyleFor } from '../print/text.js';
import type { OptionsOf } from '../table.js';
import { openViews } from '../views/open-views.js';
import { printResult, textFormats } from '../views/print-result.js';

const formats = [...textFormats, 'parquet'] as const;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts query'>,
): Promise<number> {
  if (options.views === true) return printViews(context);
  const { sql, values } = queryOf(args, options);
  const format = oneOfOption(options, 'format', formats) ?? 'table';
  const to = textOption(options, 'to');
  if ((format === 'parquet') !== (to !== undefined)) {
    throw new DbguardError('usage', '--format parquet and --to go together', {
      hint: 'Text formats go to stdout: dbguard transcripts query --format csv ... > file.csv',
    });
  }
  const views = await openViews(context, options, {
    writable: to === undefined ? undefined : resolve(context.cwd, to),
  });
  try {
    if (to !== undefined) {
      await views.engine.export(sql, values, resolve(context.cwd, to));
      return 0;
    }
    const count = await printResult(
      context,
      await views.engine.query(sql, values),
      format as (typeof textFormats)[number],
    );
    if (count === 0 && format === 'table') context.stderr.write('No rows.\n');
    return 0;
  } finally {
    views.engine.close();
  }
}

interface Query {
  readonly sql: string;
  readonly values: readonly string[];
}

function queryOf(args: readonly string[], options: OptionsOf<'transcripts query'>): Query {
  const name = oneOfOption(options, 'ask', questionNames);
  if (name === undefined) {
    const sql = args.join(' ').trim();
    if (sql !== '') return { sql, values: [] };
    throw new DbguardError('usage', 'give a query, or a ready question with --ask', {
      hint: `Ready are ${questionNames.join(', ')}; --views lists what can be asked about.`,
    });
  }
  const question = questions[name];
  const wanted = 'argument' in question ? [question.argument] : [];
  if (args.length !== wanted.length) {
    throw new DbguardError(
      'usage',
      `--ask ${name} takes ${wanted.length === 0 ? 'nothing behind it' : wanted.join(' ')}`,
      {
        hint: `As in: dbguard transcripts query --ask ${[name, ...wanted].join(' ')}`,
      },
    );
  }
  return { sql: question.sql, values: args };
}

function printViews(context: CommandContext): Promise<number> {
  const output = outputStyleFor(context);
  return paged(context, async (out) => {
    for (const view of viewNames) {
      const words = view === 'sessions' ? 'one row a session' : entryViews[view].words;
      await out.write(`${output.style('bold', view)}  ${output.style('dim', words)}`);
      for (const { name, type, words } of shownColumns(view)) {
        await out.write(output.fold(`  ${name.padEnd(18)} ${type.padEnd(7)} ${words}`, 28));
      }
      await out.write('');
    }
    for (const name of questionNames) {
      await out.write(`${output.style('bold', `--ask ${name}`)}  ${output.style('dim', questions[name].words)}`);
      await out.write(`${questions[name].sql.replace(/^/gm, '  ')}\n`);
    }
    await out.flush();
    return 0;
  });
}
