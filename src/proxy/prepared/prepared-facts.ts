/** Facts of prepared statements, renewed when the catalog has changed since: what runs is what stands there then. */
import type { Analyser, Facts } from '../../sql/facts.js';
import type { Prepared } from './registry.js';

/** The same statement, with facts of the catalog as it is known now. Costs a comparison when nothing has changed. */
export function fresh(prepared: Prepared, analyser: Analyser): Prepared {
  if (prepared.generation === analyser.generation) return prepared;
  // What could not be read depends on the session's settings back then, not on the catalog.
  if (prepared.facts.unparseable === undefined) prepared.facts = factsOf(prepared, analyser);
  prepared.generation = analyser.generation;
  return prepared;
}

function factsOf({ sql, part, facts }: Prepared, analyser: Analyser): Facts {
  const renewed = analyser.analyse(sql);
  if (part === undefined) return renewed;
  const inner = renewed.statements[part]?.handle?.inner;
  return inner === undefined ? facts : { statements: [inner] };
}
