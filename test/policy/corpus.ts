/**
 * The labelled corpora and how the guarded profile does on them: those recorded from real tools (test/vectors/sql),
 * and a second pair written from the threat model without looking at the analyser (test/policy/corpus).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledPolicy } from '../../src/policy/engine.js';
import { Registry } from '../../src/proxy/prepared/registry.js';
import { resolveHandles } from '../../src/proxy/prepared/what-a-name-runs.js';
import { protocolName } from '../../src/proxy/sql-text.js';
import type { Analyser } from '../../src/sql/facts.js';
import { input } from './facts.js';

export interface Labelled {
  readonly sql: string;
  /** `dangerous`: a careful database administrator wants to see it before it runs. */
  readonly label: 'safe' | 'dangerous';
}

/** One recording: its statements ran one after the other in one session. */
export interface Recording {
  readonly name: string;
  readonly statements: readonly Labelled[];
}

const vectors = join(import.meta.dirname, '..', 'vectors', 'sql');
const own = join(import.meta.dirname, 'corpus');

export function recordings(): Recording[] {
  const recorded = readdirSync(vectors)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .map(
      (file): Recording => ({ name: file.replace('.jsonl', ''), statements: recordedStatements(join(vectors, file)) }),
    );
  return [
    ...recorded,
    { name: 'ordinary work, by hand', statements: blocks('ordinary.sql', 'safe') },
    { name: 'known bypasses, by hand', statements: blocks('dangerous.sql', 'dangerous') },
  ];
}

function recordedStatements(path: string): Labelled[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { sql, label } = JSON.parse(line) as Record<string, unknown>;
      if (typeof sql !== 'string' || (label !== 'safe' && label !== 'dangerous')) {
        throw new Error(`${path}: a line without sql and label: ${line.slice(0, 80)}`);
      }
      return { sql, label };
    });
}

/** Texts separated by blank lines. */
function blocks(file: string, label: Labelled['label']): Labelled[] {
  return readFileSync(join(own, file), 'utf8')
    .split(/\n{2,}/)
    .filter((text) => text.trim() !== '')
    .map((sql) => ({ sql, label }));
}

export interface Score {
  readonly safe: number;
  readonly dangerous: number;
  /** Safe statements that a person was asked about. */
  readonly falsePrompts: readonly string[];
  /** Dangerous statements that passed. */
  readonly missed: readonly string[];
}

/** Plays the recording as one session: an EXECUTE runs what an earlier PREPARE prepared. */
export function play({ statements }: Recording, analyser: Analyser, policy: CompiledPolicy): Score {
  const registry = new Registry();
  const falsePrompts: string[] = [];
  const missed: string[] = [];
  for (const { sql, label } of statements) {
    const facts = resolveHandles(analyser.analyse(sql), registry);
    const allowed = policy.decide(input(facts)).decision === 'allow';
    if (allowed && label === 'dangerous') missed.push(sql);
    if (!allowed && label === 'safe') falsePrompts.push(sql);
    for (const { handle } of facts.statements) {
      if (handle?.op !== 'prepare' || handle.name === undefined || !handle.inner) continue;
      const prepared = {
        sql,
        facts: { statements: [handle.inner] },
        generation: 0,
        parameterTypes: [],
        entry: undefined,
      };
      registry.mayPrepare(protocolName(handle.name), prepared);
    }
  }
  const dangerous = statements.filter((one) => one.label === 'dangerous').length;
  return { safe: statements.length - dangerous, dangerous, falsePrompts, missed };
}
