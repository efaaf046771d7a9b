/** Statements judged without a database: which files count, the analyser, the policy. */
import { type LoadedConfig, loadConfigs, loadNamed } from '../io/config-files.js';
import type { Decision, Ruling } from '../policy/decision.js';
import { type CompiledPolicy, compilePolicy, type Judgement, rulingOf } from '../policy/engine.js';
import { profileNames } from '../policy/profiles.js';
import { Registry } from '../proxy/registry.js';
import { resolveHandles } from '../proxy/resolve.js';
import { createAnalyser } from '../sql/analyser.js';
import type { Analyser, Facts } from '../sql/facts.js';
import type { CommandContext, OptionValues } from './command.js';
import { oneOfOption, textOption } from './options.js';

export interface Judged {
  readonly facts: Facts;
  readonly judgements: readonly Judgement[];
  readonly ruling: Ruling;
}

export class Judge {
  readonly #analyser: Analyser;
  readonly policy: CompiledPolicy;
  readonly #surroundings: { readonly connection: string; readonly subject: string; readonly agent: string };

  constructor(analyser: Analyser, policy: CompiledPolicy, options: OptionValues) {
    this.#analyser = analyser;
    this.policy = policy;
    this.#surroundings = {
      connection: textOption(options, 'connection') ?? policy.config.defaultConnection ?? '',
      subject: textOption(options, 'subject') ?? '',
      agent: textOption(options, 'agent') ?? '',
    };
  }

  /** As the first statement of a fresh session. */
  judge(sql: string): Judged {
    const facts = resolveHandles(this.#analyser.analyse(sql), new Registry());
    const judgements = this.policy.judge({
      ...this.#surroundings,
      database: '',
      facts,
      now: Date.now(),
      transactionStatus: 'I',
    });
    return { facts, judgements, ruling: rulingOf(judgements) };
  }
}

/** Options: `policy` or `config`, `profile`, `connection`, `subject`, `agent`. */
export async function judgeFor(context: CommandContext, options: OptionValues): Promise<Judge> {
  const sources = sourcesFor(context, options);
  const profile = oneOfOption(options, 'profile', profileNames);
  const policy = compilePolicy(sources, profile === undefined ? {} : { profile });
  return new Judge(await createAnalyser(), policy, options);
}

/** `--policy FILE` judges by that file alone; otherwise the files that `dbguard run` would use. */
function sourcesFor(context: CommandContext, options: OptionValues): LoadedConfig[] {
  const alone = textOption(options, 'policy');
  if (alone !== undefined) return [loadNamed(alone, context)];
  return loadConfigs({ cwd: context.cwd, env: context.env, named: textOption(options, 'config') });
}

const order: readonly Decision[] = ['allow', 'ask', 'second-person', 'deny'];

export function countDecisions(decisions: readonly Decision[]): string {
  const counts = order.flatMap((one) => {
    const count = decisions.filter((decision) => decision === one).length;
    return count > 0 ? [`${count} ${one}`] : [];
  });
  return counts.join(', ');
}
