/** `dbguard access setup`: the SQL of a login that has little by itself, and of the roles that `access` names. Runs nothing. */
import { DbguardError } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { readSetupState } from '../../io/catalog/setup-state.js';
import { loadConfigsOrFail } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { accessOf } from '../../policy/access-offer.js';
import { combineConfigs } from '../../policy/combine.js';
import { setupStatements } from '../../policy/login-setup.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

/** A statement names one login and a few roles, of 63 bytes each. */
const longestStatement = 4000;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'access setup'>,
): Promise<number> {
  const { env, cwd, stdout } = context;
  const login = textOption(options, 'login');
  if (login === undefined || Buffer.byteLength(login) > 63) {
    throw new DbguardError('usage', 'access setup needs the name of the login, of up to 63 bytes', {
      hint: 'For example: dbguard access setup --login shop_agent',
    });
  }
  const sources = loadConfigsOrFail({ cwd, env, named: textOption(options, 'config') });
  const config = combineConfigs(sources);
  const { name, connection } = chooseConnection({ config }, textOption(options, 'connection'));
  const rules = accessOf(config.access, name);
  const upstream = upstreamOf(connection, name, env);
  await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const parameters = new Map([['application_name', 'dbguard access setup']]);
  const control = new ControlConnection(() => connectUpstream(upstream, parameters));
  try {
    const state = await readSetupState((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs));
    const statements = setupStatements(login, rules, state);
    if (options.json === true) {
      stdout.write(`${JSON.stringify({ connection: name, login, database: state.database, statements })}\n`);
      return 0;
    }
    for (const line of head(name, rules.length)) stdout.write(`-- ${singleLine(line, longestStatement)}\n`);
    for (const statement of statements) stdout.write(`${singleLine(statement, longestStatement)};\n`);
    return 0;
  } finally {
    await control.close();
  }
}

function head(connection: string, rules: number): string[] {
  return [
    `For somebody who may make roles on ${connection}; in psql: BEGIN, this file, COMMIT. Then \\password for the login.`,
    ...(rules === 0 ? ['No entry of access is about this connection: see dbguard help roles.'] : []),
  ];
}
