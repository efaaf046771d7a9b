/** Facts as the analyser gives them, written by hand: what the engine is told, without a parser between. */
import type { DecisionInput } from '../../src/policy/decision.js';
import type { Effect, EffectKind, Facts, StatementFacts, Target } from '../../src/sql/facts.js';

export function table(name: string, columns?: readonly string[]): Target {
  const [first = '', second] = name.split('.');
  const where = second === undefined ? { name: first } : { schema: first, name: second };
  return { type: 'table', ...where, ...(columns === undefined ? {} : { columns }) };
}

export function effect(kind: EffectKind, more: Partial<Effect> = {}): Effect {
  return { kind, targets: [], bounded: true, opaque: false, ...more };
}

export function statement(effects: readonly Effect[], more: Partial<StatementFacts> = {}): StatementFacts {
  return { command: 'SELECT', start: 0, end: 1, effects, functions: [], parameters: 0, deferred: false, ...more };
}

export function facts(...statements: readonly StatementFacts[]): Facts {
  return { statements };
}

/** One statement with one effect. */
export function one(kind: EffectKind, more: Partial<Effect> = {}): Facts {
  return facts(statement([effect(kind, more)]));
}

export function input(of: Facts, more: Partial<DecisionInput> = {}): DecisionInput {
  return {
    facts: of,
    user: 'app',
    connection: 'main',
    database: 'shop',
    subject: 'ada@example.com',
    agent: 'claude',
    // Monday 2026-03-02 12:00 UTC
    now: Date.UTC(2026, 2, 2, 12),
    transactionStatus: 'I',
    ...more,
  };
}
