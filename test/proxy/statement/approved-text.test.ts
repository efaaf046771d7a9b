/**
 * What a second person may come to approve is held against the text in the statement's own entry: each entry that is asked
 * about has it, whichever rule asks, however the statement came, and how often it came before.
 */
import t from 'tap';
import { parseConfig } from '../../../src/policy/config.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import type { Asker } from '../../../src/proxy/statement/asker.js';
import { agent, roles, shop } from '../../attack/access-stage.js';
import { startAttendedProxy } from '../../attack/attended-proxy.js';
import { startPostgres } from '../../helpers/postgres.js';
import { bind, execute, parse, query, run, sync } from '../../helpers/wire-messages.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(roles);

const secondPerson = 'second_person: { approvers: [lead@example.test] }';
const entry = 'name: fix, role: shop_writer, tables: [orders], effects: [delete]';
const rule = 'name: few, when: { effect: delete }';

/** Who asks for somebody else. */
const demands: Readonly<Record<string, string>> = {
  'a rule': `policy: { rules: [{ ${rule}, then: second-person }] }`,
  'a role': `access: [{ ${entry}, then: second-person }]`,
  'a rule, of what a role may': `access: [{ ${entry}, then: ask }]\npolicy: { rules: [{ ${rule}, then: second-person }] }`,
  'a role, of what a rule asks about': `access: [{ ${entry}, then: second-person }]\npolicy: { rules: [{ ${rule}, then: ask }] }`,
  'both in one': `policy: { rules: [{ ${rule.replace('delete', 'delete, table: orders')}, then: second-person, as: shop_writer, for: statement }] }`,
};

const sql = 'DELETE FROM orders WHERE id = 1';
const prepared = Buffer.concat([bind([], { statement: 's' }), execute(), sync()]);

/** How the same statement comes, twice and more. */
const ways: Readonly<Record<string, readonly Buffer[]>> = {
  simple: [query(sql), query(sql)],
  extended: [Buffer.concat([run(sql), sync()]), Buffer.concat([run(sql), sync()])],
  'a Parse by itself': [Buffer.concat([parse(sql), sync()]), Buffer.concat([bind([]), execute(), sync()])],
  'prepared once': [Buffer.concat([parse(sql, { name: 's' }), sync()]), prepared, prepared, prepared],
  'prepared once, behind a query': [query(sql), Buffer.concat([parse(sql, { name: 's' }), sync()]), prepared, prepared],
};

for (const [who, yaml] of Object.entries(demands))
  for (const login of [agent, { user: server.superuser, password: server.password }])
    t.test(`${who}, ${login.user}`, async (t) => {
      const config = parseConfig(`version: 1\n${yaml}\n${secondPerson}\n`, 'dbguard.yaml');
      const questions: string[] = [];
      const asker: Asker = {
        async ask({ ruling }) {
          questions.push(ruling.reason);
          return { decision: 'deny', by: { kind: 'timeout' } };
        },
      };
      const { harness, raw } = await startAttendedProxy(t, server, [shop], {
        upstreamUrl: server.url('postgres', login.user, login.password),
        policy: compilePolicy([{ level: 'user', config }]),
        catalogPollMs: 60_000,
        asker,
      });
      for (const [how, writes] of Object.entries(ways)) {
        const before = harness.recorder.of('statement').length;
        const client = await raw();
        for (const bytes of writes) {
          await client.send(bytes);
          await client.hears('Z', 1);
        }
        const entries = harness.recorder.of('statement').slice(before);
        for (const one of entries.filter(({ decision }) => decision !== 'allow'))
          t.match(one.disclosures, { sql }, `${how}: ${String(one.decision)}`);
      }
      const settled = login === agent ? 'a rule' : 'a role';
      t.equal(
        questions.length > 0,
        who !== settled,
        'what the server refuses, and what the login may do itself, is not asked',
      );
      if (who.includes(', of what') && login === agent) t.match(questions[0], /runs as shop_writer, .* By rule few: /);
    });
