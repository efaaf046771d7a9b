/** Statements judged outside a session: which files count, the policy, the analyser and, where asked for, the live catalog. */
import {
  type ConfigSearch,
  type LoadedConfig,
  loadConfigs,
  loadConfigsOrFail,
  loadNamed,
} from '../../io/files/config-files.js';
import { accessOffer } from '../../policy/access-offer.js';
import type { Decision, DecisionInput, Ruling } from '../../policy/decision.js';
import { type CompiledPolicy, compilePolicy, isRefused, type Judgement, rulingOf } from '../../policy/engine.js';
import { profileNames } from '../../policy/profiles.js';
import { Registry } from '../../proxy/prepared/registry.js';
import { resolveHandles } from '../../proxy/prepared/what-a-name-runs.js';
import { createAnalyser } from '../../sql/analyser.js';
import type { Analyser, Facts } from '../../sql/facts.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import type { CommandContext } from '../command.js';
import { oneOfOption, textOption } from '../options.js';
import type { OptionValues } from '../table.js';

export interface Judged {
  readonly facts: Facts;
  readonly judgements: readonly Judgement[];
  readonly ruling: Ruling;
}

export class Judge {
  readonly #analyser: Analyser;
  readonly policy: CompiledPolicy;
  readonly #surroundings: Pick<DecisionInput, 'connection' | 'user' | 'subject' | 'agent'>;

  constructor(analyser: Analyser, policy: CompiledPolicy, options: OptionValues) {
    this.#analyser = analyser;
    this.policy = policy;
    this.#surroundings = {
      connection: textOption(options, 'connection') ?? policy.config.defaultConnection ?? '',
      user: textOption(options, 'user') ?? '',
      subject: textOption(options, 'subject') ?? '',
      agent: textOption(options, 'agent') ?? '',
    };
  }

  /** As the first statement of a fresh session. */
  judge(sql: string): Judged {
    const facts = resolveHandles(this.#analyser.analyse(sql), new Registry());
    const found = this.policy.judge({
      ...this.#surroundings,
      database: '',
      facts,
      now: Date.now(),
      transactionStatus: 'I',
      // as a server comes: a session that began read-only is asked about READ WRITE
      readsAndWrites: true,
    });
    // nobody is there to say how large the table is
    const judgements = found.map(({ unlessFew, ...one }) =>
      unlessFew?.category === 'update-unbounded'
        ? { ...one, ...unlessFew }
        : { ...one, ...(unlessFew && { unlessFew }) },
    );
    const ruling = rulingOf(judgements);
    const access = isRefused(ruling, this.policy.secondPerson)
      ? undefined
      : accessOffer(this.policy.config.access, facts, this.#surroundings.connection);
    return { facts, judgements, ruling: access ? { ...ruling, access } : ruling };
  }
}

/**
 * Options: `policy` or `config`, `profile`, `connection`, `offline`, `user`, `subject`, `agent`. A connection that is named is
 * asked for its catalog, unless `offline`.
 */
export async function withJudge<T>(
  context: CommandContext,
  options: OptionValues,
  use: (judge: Judge) => Promise<T>,
): Promise<T> {
  const profile = oneOfOption(options, 'profile', profileNames);
  const compiled = profile === undefined ? {} : { profile };
  const sources = sourcesFor(context, options);
  const policy = compilePolicy(sources, compiled);
  const grammar = await loadGrammar();
  const name = textOption(options, 'connection');
  if (name === undefined || options.offline === true) {
    return use(new Judge(await createAnalyser({ grammar }), policy, options));
  }
  const files = options.policy === undefined ? sources : loadConfigsOrFail(searchOf(context, options));
  // for this alone a connection to the database has to be learned
  const { withLiveCatalog } = await import('./live-catalog.js');
  return withLiveCatalog(context, files, name, grammar, (analyser) => use(new Judge(analyser, policy, options)));
}

/** `--policy FILE` judges by that file alone; otherwise the files that `dbguard run` would use. */
function sourcesFor(context: CommandContext, options: OptionValues): LoadedConfig[] {
  const alone = textOption(options, 'policy');
  if (alone !== undefined) return [loadNamed(alone, context)];
  return loadConfigs(searchOf(context, options));
}

function searchOf({ cwd, env }: CommandContext, options: OptionValues): ConfigSearch {
  return { cwd, env, named: textOption(options, 'config') };
}

const order: readonly Decision[] = ['allow', 'ask', 'second-person', 'deny'];

export function countDecisions(decisions: readonly Decision[]): string {
  const counts = order.flatMap((one) => {
    const count = decisions.filter((decision) => decision === one).length;
    return count > 0 ? [`${count} ${one}`] : [];
  });
  return counts.join(', ');
}
