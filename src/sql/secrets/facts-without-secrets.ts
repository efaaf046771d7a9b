/** Facts repeat parts of the text (a setting's value, a program, the parser's message): here they lose its secrets. */
import type { Effect, Facts, StatementFacts } from '../facts.js';
import { type Secrets, scrubbed, secretsIn } from './secrets.js';

export function factsWithoutSecrets(sql: string, facts: Facts): Facts {
  const secrets = secretsIn(sql, facts.unparseable === undefined);
  if (secrets.ranges.length === 0) return facts;
  const { unparseable } = facts;
  return {
    statements: facts.statements.map((one) => statement(one, secrets)),
    // the grammar names the token that it stumbled over
    ...(unparseable
      ? { unparseable: { ...unparseable, message: unparseable.message.replace(/ at or near ".*/s, '') } }
      : {}),
  };
}

function statement(facts: StatementFacts, secrets: Secrets): StatementFacts {
  const { handle } = facts;
  return {
    ...facts,
    effects: facts.effects.map((one) => effect(one, secrets)),
    ...(handle?.inner ? { handle: { ...handle, inner: statement(handle.inner, secrets) } } : {}),
  };
}

function effect(one: Effect, secrets: Secrets): Effect {
  return {
    ...one,
    targets: one.targets.map((target) => ({ ...target, name: scrubbed(target.name, secrets) })),
    ...(one.detail === undefined ? {} : { detail: scrubbed(one.detail, secrets) }),
  };
}
