/** `dbguard access setup`: the SQL of a login that has little by itself, and of the roles that `access` names. With --apply it runs in a `dbguard run`. */
import { DbguardError } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { readSetupState } from '../../io/catalog/setup-state.js';
import { loadConfigsOrFail } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { resolveUpstream } from '../../io/upstream/resolve.js';
import { runText } from '../../io/upstream/run-text.js';
import { accessOf } from '../../policy/access-offer.js';
import { combineConfigs } from '../../policy/combine.js';
import { setupStatements } from '../../policy/login-setup.js';
import { sessionMarker } from '../../run/run-mark.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { ownProgram } from '../own-program.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';
import { run as runGuarded } from './run.js';

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
  const within = env[sessionMarker] !== undefined;
  if (options.apply === true && !within) return guarded(context, login, options);
  const sources = loadConfigsOrFail({ cwd, env, named: textOption(options, 'config') });
  const config = combineConfigs(sources);
  const { name, connection } = chooseConnection({ config }, textOption(options, 'connection'));
  const rules = accessOf(config.access, name);
  // in a run, the way to the server is the run's
  const upstream = within ? resolveUpstream({}, env) : upstreamOf(connection, name, env);
  if (!within) await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const parameters = new Map([['application_name', 'dbguard access setup']]);
  const control = new ControlConnection(() => connectUpstream(upstream, parameters));
  try {
    const state = await readSetupState((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs));
    const statements = setupStatements(login, rules, state);
    if (options.apply === true) {
      const { socket, ...session } = await connectUpstream(upstream, parameters);
      await runText({ socket, ...session }, statements.map((one) => `${one};\n`).join('')).finally(() => socket.end());
      stdout.write(`Applied: ${statements.length} statements, as one transaction. ${login} has no password yet.\n`);
      return 0;
    }
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

/** In a run of its own, so that it is asked about and recorded like what anybody else sends. */
async function guarded(context: CommandContext, login: string, options: OptionsOf<'access setup'>): Promise<number> {
  // the child of a run does not get that variable
  const config = textOption(options, 'config') ?? context.env.DBGUARD_CONFIG;
  const connection = textOption(options, 'connection');
  const words = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);
  const same = [...words('--config', config), ...words('--connection', connection)];
  const itself = [process.execPath, ...process.execArgv, ownProgram()];
  return runGuarded(context, [...itself, 'access', 'setup', '--login', login, '--apply', ...same], {
    ...(config === undefined ? {} : { config }),
    ...(connection === undefined ? {} : { connection }),
  });
}

function head(connection: string, rules: number): string[] {
  return [
    `For somebody who may make roles on ${connection}; in psql: BEGIN, this file, COMMIT. Then \\password for the login.`,
    ...(rules === 0 ? ['No entry of access is about this connection: see dbguard help roles.'] : []),
  ];
}
