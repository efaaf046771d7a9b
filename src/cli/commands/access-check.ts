/** `dbguard access check`: what the login of a connection can do on its own. Exit code 1 when that is more than to connect. */
import { DbguardError } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { readLoginRights } from '../../io/catalog/login-rights.js';
import { loadConfigsOrFail } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { combineConfigs } from '../../policy/combine.js';
import { type LoginFinding, type LoginRights, loginFindings } from '../../policy/login-findings.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { folded, outputStyleFor } from '../print/text.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

/** Five names of PostgreSQL's longest, and what is said of them. */
const longestLine = 900;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'access check'>,
): Promise<number> {
  const { env, cwd } = context;
  const sources = loadConfigsOrFail({ cwd, env, named: textOption(options, 'config') });
  const { name, connection } = chooseConnection({ config: combineConfigs(sources) }, textOption(options, 'connection'));
  const upstream = upstreamOf(connection, name, env);
  await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const parameters = new Map([['application_name', 'dbguard access check']]);
  const control = new ControlConnection(() => connectUpstream(upstream, parameters));
  try {
    const ask: Parameters<typeof readLoginRights>[0] = (sql, values, timeoutMs) => control.ask(sql, values, timeoutMs);
    const role = connection.temporaryLogin?.role;
    const rights = await readLoginRights(ask);
    const { login, database } = rights;
    const findings = loginFindings(role === undefined ? rights : withoutWhatMakes(rights, role));
    const ofRole = role === undefined ? undefined : await rightsOf(ask, role);
    if (options.json === true) {
      const temporary = ofRole && { role, findings: ofRole };
      context.stdout.write(`${JSON.stringify({ connection: name, login, database, findings, temporary })}\n`);
    } else {
      print(context, `${login} at ${database} (connection ${name})`, findings);
      if (ofRole) print(context, `each session's login, which is ${role}`, ofRole);
    }
    return findings.length + (ofRole?.length ?? 0) > 0 ? 1 : 0;
  } finally {
    await control.close();
  }
}

/** What a temporary login is, it is by this role: its sessions begin as it. */
async function rightsOf(ask: Parameters<typeof readLoginRights>[0], role: string): Promise<LoginFinding[]> {
  const rights = await readLoginRights(ask, role);
  if (rights.login !== '') return loginFindings(rights);
  throw new DbguardError('config-invalid', `the database has no role ${role}, which "temporary_login" names`);
}

/** It has to make roles, and to have this one; what that can do is told of itself. */
function withoutWhatMakes(rights: LoginRights, role: string): LoginRights {
  return {
    ...rights,
    attributes: new Set([...rights.attributes].filter((one) => one !== 'CREATEROLE')),
    memberships: rights.memberships.filter((one) => one.inherits || (one.role !== role && one.member !== role)),
  };
}

function print(context: CommandContext, who: string, findings: readonly LoginFinding[]): void {
  const { stdout } = context;
  const output = outputStyleFor(context);
  const line = (text: string, indent: number): string => folded(singleLine(text, longestLine), stdout, indent);
  for (const { what, sql } of findings) {
    stdout.write(`${output.style('bold', line(what, 2))}\n`);
    for (const statement of sql) stdout.write(`${line(`  ${statement}`, 4)}\n`);
  }
  const count = findings.length === 1 ? '1 right' : `${findings.length} rights`;
  const sum = findings.length === 0 ? 'nothing beyond what single objects grant' : `${count} to take away`;
  stdout.write(`${line(`${who}: ${sum}.`, 0)}\n`);
}
