/** Where nobody sits beside the client, no ruling of any kind is left that would ask there. */
import fc from 'fast-check';
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import type { Ruling } from '../../src/policy/decision.js';
import { decisions } from '../../src/policy/decision.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { AccessRule } from '../../src/policy/read-access.js';
import { askedElsewhere } from '../../src/policy/unattended.js';

const ask = fc.constantFrom('ask', 'second-person');
const access = fc.record({ rules: fc.array(fc.record({ name: fc.string(), decision: ask }), { maxLength: 3 }) });
const ruling = fc.letrec((tie) => ({
  ruling: fc.record(
    {
      decision: fc.constantFrom(...decisions),
      rule: fc.string(),
      origin: fc.string(),
      reason: fc.string(),
      unlessFew: fc.option(tie('ruling'), { nil: undefined, maxDepth: 2 }),
      access: fc.option(access, { nil: undefined }),
      covers: fc.option(fc.constant('transaction'), { nil: undefined }),
    },
    { requiredKeys: ['decision', 'rule', 'origin', 'reason'] },
  ),
})).ruling as unknown as fc.Arbitrary<Ruling>;

/** Every decision in it, in order. */
const all = ({ decision, access, unlessFew }: Ruling): string[] => [
  decision,
  ...(access?.rules ?? []).map((rule: AccessRule) => rule.decision),
  ...(unlessFew ? all(unlessFew) : []),
];

t.test('what was asked is a second person’s, what was decided stays so', async (t) => {
  fc.assert(
    fc.property(ruling, (one) => {
      const turned = askedElsewhere(one);
      const wanted = all(one).map((decision) => (decision === 'ask' ? 'second-person' : decision));
      t.strictSame(all(turned), wanted);
      t.equal(turned.covers, undefined, 'nobody elsewhere approves a whole transaction');
      t.equal(askedElsewhere(one), turned, 'the same for the same');
    }),
  );
});

t.test('entries of access, too; and nothing where nobody is named', async (t) => {
  const entry = 'access: [{ name: fix, role: owner, tables: [orders], effects: [update], then: ask, for: 1h }]';
  const compiled = (more: string) => {
    const config = parseConfig(`version: 1\n${entry}\n${more}`, 'x');
    return compilePolicy([{ level: 'user', config }], { unattended: true });
  };
  t.match(compiled('second_person: { approvers: [lead@b] }').config.access, [{ decision: 'second-person' }]);
  t.match(compiled('').config.access, [{ decision: 'ask' }]);
});
