/** `second_person`, and rules that run as a role: what can be said, and who may say it. */
import t from 'tap';
import { webhookBody } from '../../src/approval/second-person/webhook-body.js';
import { combineConfigs } from '../../src/policy/combine.js';
import { checkConfig, parseConfig } from '../../src/policy/config.js';
import type { Level } from '../../src/policy/levels.js';
import { asked } from '../attack/second-person-stage.js';

const problems = (text: string): string =>
  checkConfig(text, 'x')
    .problems.map(({ message }) => message)
    .join('\n');
const second = (text: string): string => `version: 1\nsecond_person: ${text}`;
const rule = (text: string): string => `version: 1\npolicy: { rules: [${text}] }`;
const short =
  '{ name: clean, when: { effect: delete, table: orders }, then: second-person, as: owner, for: statement }';

t.test('what is wrong is said', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [second('{}'), /approvers/],
    [second('{ approvers: [] }'), /the list is empty/],
    [second('{ approvers: [lead] }'), /e-mail address, or "group:"/],
    [second('{ approvers: ["group:"] }'), /e-mail address, or "group:"/],
    [second('{ approvers: [a@b], min: 0 }'), /./],
    [second('{ approvers: [a@b], wait: 2h }'), /from 1s to 1h/],
    [second('{ approvers: [a@b], wait_in_transaction: 1h }'), /from 1s to 10m/],
    [second('{ approvers: [a@b], level: asserted }'), /one of nonce, dpop/],
    [second('{ approvers: [a@b], notify: { webhook: "http://example.com/x" } }'), /https URL/],
    [
      second('{ approvers: [a@b], notify: { webhook: "https://example.com/x", format: irc } }'),
      /one of slack, teams, json/,
    ],
    [rule(short.replace(', for: statement', '')), /"as" goes with "for: statement"/],
    [rule(short.replace('as: owner, ', '')), /"as" goes with "for: statement"/],
    [rule(short.replace('second-person', 'deny')), /"then: ask" or "then: second-person"/],
    [rule(short.replace(', table: orders', '')), /needs "table" and "effect"/],
    [rule(short.replace('effect: delete', 'effect: [delete, grant]')), /needs "table" and "effect"/],
    [rule(short.replace('table: orders', 'table: orders, bounded: true')), /not with "bounded"/],
  ];
  for (const [text, said] of cases) t.match(problems(text), said, text);
  t.equal(problems(second('{ approvers: a@b, notify: { webhook: "http://127.0.0.1:1/x", format: slack } }')), '');
  t.match(parseConfig(rule(short), 'x').policy.rules[0]?.as, {
    role: 'owner',
    effects: ['delete'],
    decision: 'second-person',
  });
});

t.test('a repository has no say in it, and the organisation has the last', async (t) => {
  const at = (level: Level, text: string) => ({ level, config: parseConfig(text, 'dbguard.yaml') });
  for (const text of [second('{ approvers: [a@b] }'), rule(short)]) {
    t.throws(() => combineConfigs([at('repository', text)]), { code: 'config-invalid' });
    t.doesNotThrow(() => combineConfigs([at('user', text)]));
  }
  const both = [
    at('user', second('{ approvers: [friend@b] }')),
    at('organisation', second('{ approvers: [lead@b], min: 2 }')),
  ];
  t.match(combineConfigs(both).secondPerson, { approvers: ['lead@b'], min: 2 });
});

t.test('a webhook hears the headline, and never a value or the statement', async (t) => {
  const sql = "DELETE FROM orders WHERE card = '4111111111111111' AND note = $1";
  const request = asked(sql, { bindValues: ['hush'], agent: "psql -c 'hush'", subject: '<!channel> [x](http://evil)' });
  for (const format of ['slack', 'teams', 'json'] as const) {
    for (const kind of ['asked', 'approved', 'denied'] as const) {
      const body =
        webhookBody({ kind, id: '01m8mzcsy6zc910mm22w2515g3', request, by: 'lead@example.test' }, format) ?? '';
      t.match(body, /orders/);
      t.notMatch(body, /4111|hush|psql|WHERE/);
      if (format === 'slack') t.notMatch(body, /<!channel>/);
      if (format === 'teams') t.notMatch(body, /\[x\]\(/);
      t.doesNotThrow(() => JSON.parse(body));
    }
    t.equal(webhookBody({ kind: 'unanswered', id: 'x', request }, format), undefined);
  }
});
