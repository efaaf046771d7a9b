/** `dbguard mask check`: the masks held against the database. Exit code 1 when a name of the policy matches nothing. */
import { DbguardError } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { readMaskCatalog } from '../../io/catalog/mask-catalog.js';
import { loadConfigsOrFail } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { type CallableCode, checkMasks, type MaskCheck } from '../../masking/check.js';
import { compilePolicy } from '../../policy/engine.js';
import { holdsFor } from '../../policy/mask-audience.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { folded, type OutputStyle, outputStyleFor } from '../print/text.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

const patienceMs = 10_000;
/** Three names of PostgreSQL's longest, and what is said of them. */
const longestLine = 600;

const codeQuery = `
  SELECT n.nspname AS schema, p.proname AS name, p.pronargs - p.pronargdefaults AS arguments, p.prokind = 'p' AS procedure
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind IN ('f', 'p', 'w')
     AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
   ORDER BY 1, 2`;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'mask check'>,
): Promise<number> {
  const { env, cwd } = context;
  const sources = loadConfigsOrFail({ cwd, env, named: textOption(options, 'config') });
  const policy = compilePolicy(sources);
  const { config } = policy;
  const { name, connection } = chooseConnection({ config }, textOption(options, 'connection'));
  const upstream = upstreamOf(connection, name, env);
  await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const control = new ControlConnection(() =>
    connectUpstream(upstream, new Map([['application_name', 'dbguard mask check']])),
  );
  try {
    const [path] = await control.ask('SELECT to_json(current_schemas(true))::text AS path', [], patienceMs);
    const catalog = await readMaskCatalog((questions, timeoutMs) => control.askAll(questions, timeoutMs));
    const code = (await control.ask(codeQuery, [], patienceMs)).map(
      (row): CallableCode => ({
        schema: row.schema ?? '',
        name: row.name ?? '',
        arguments: Number(row.arguments),
        isProcedure: row.procedure === 't',
      }),
    );
    const audience = {
      subject: textOption(options, 'subject') ?? '',
      groups: undefined,
      environments: policy.environmentsOf(name),
      connection: name,
      agent: '',
    };
    const subject = textOption(options, 'subject');
    const check = checkMasks({
      // without a person: as if each mask held
      declarations: subject === undefined ? config.mask : config.mask.filter((one) => holdsFor(one, audience)),
      named: [...config.mask, ...config.unmask],
      catalog,
      grammar: await loadGrammar(),
      code,
      searchPath: JSON.parse(path?.path ?? '[]') as string[],
    });
    if (config.mask.length === 0 && check.columns.length === 0) {
      throw new DbguardError('config-missing', 'no file masks anything', {
        hint: 'Name columns under mask in dbguard.yaml first, or in comments of the database.',
      });
    }
    if (options.json === true) context.stdout.write(`${JSON.stringify(check)}\n`);
    else print(context, check, outputStyleFor(context));
    return check.unmatched.length > 0 ? 1 : 0;
  } finally {
    await control.close();
  }
}

function print({ stdout }: CommandContext, check: MaskCheck, output: OutputStyle): void {
  const line = (text: string): void => void stdout.write(`${folded(singleLine(text, longestLine), stdout, 4)}\n`);
  const part = (title: string, lines: readonly string[]): void => {
    if (lines.length === 0) return;
    stdout.write(`${output.style('bold', title)}\n`);
    for (const one of lines) line(`  ${one}`);
  };
  part(
    'Masked columns, and what is left of them',
    check.columns.map(({ column, with: kind, sees, by }) => `${column}  ${kind}: ${sees}${by ? ` (by ${by})` : ''}`),
  );
  part(
    'Views that carry them',
    check.views.map(({ column, sees, by }) => `${column}  ${sees} (from ${by})`),
  );
  part(
    'Functions',
    check.functions.map(({ function: name, sees }) => `${name}()  ${sees}`),
  );
  if (check.notifies) line('A trigger notifies with masked values: payloads of NOTIFY are empty.');
  part(
    'Names that match nothing',
    check.unmatched.map(({ place, name, guess }) => {
      return `${place.file}:${place.line}: ${name}${guess ? `: did you mean "${guess}"?` : ''}`;
    }),
  );
  const wrong = check.unmatched.length;
  line(
    `${counted(check.columns.length, 'column')} masked; ${wrong === 0 ? 'every name matches' : `${counted(wrong, 'name')} without a column`}`,
  );
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
