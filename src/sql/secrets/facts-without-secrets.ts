/** Facts repeat parts of the text (a setting's value, a program, the parser's message): here they lose its secrets. */
import type { Effect, Facts, StatementFacts } from '../facts.js';
import type { Secrets } from './finder.js';
import { scrubbed, secretsIn } from './secrets.js';

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
  // a definition that would be judged by its text waits until the catalog is read
  const { handle, plain: _told, ...rest } = facts;
  return {
    ...rest,
    effects: facts.effects.map((one) => effect(one, secrets)),
    ...(handle?.inner ? { handle: { ...handle, inner: statement(handle.inner, secrets) } } : {}),
  };
}

function effect(one: Effect, secrets: Secrets): Effect {
  const words = Object.entries(one).filter((field): field is [string, string] => typeof field[1] === 'string');
  return {
    ...one,
    ...Object.fromEntries(words.map(([name, word]) => [name, scrubbed(word, secrets)])),
    targets: one.targets.map((target) => ({ ...target, name: scrubbed(target.name, secrets) })),
  };
}
