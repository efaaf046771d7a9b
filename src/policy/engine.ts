/**
 * Facts to a ruling: every effect of every statement is judged by every file, and the strictest judgement is the ruling.
 *
 *   for each file:  rules that restrict, else a rule that allows, else the file's profile
 *   over files, effects and statements:  the strictest
 */
import { createHash } from 'node:crypto';
import type { Effect, Facts, StatementFacts } from '../sql/facts.js';
import { type AccessOffer, accessOffer } from './access-offer.js';
import { type CombinedConfig, combineConfigs, type PolicySource } from './combine.js';
import type { Decision, DecisionInput, Policy, Ruling } from './decision.js';
import { categoryOf, massCategory, mayBeSmall } from './effect-category.js';
import { type Finding, isStricter, judgeByLayer, type Layer, layersOf, nothingSaid } from './layer.js';
import {
  compareExtent,
  type Extent,
  extentOfText,
  type MassLimits,
  massLimits,
  onlyTheBudgetIsExceeded,
  withTogether,
} from './mass-changes.js';
import type { NamePattern } from './name-pattern.js';
import { type EffectCategory, effectCategories, type ProfileName } from './profiles.js';
import type { Environment } from './read-connection.js';
import type { Limits } from './read-policy.js';
import type { SecondPersonConfig } from './read-second-person.js';
import { areTimeless, RememberedRulings } from './remembered-rulings.js';
import type { Subject } from './rule-match.js';
import { unattendedConfig } from './unattended.js';
import { sentence, unparseableSentence } from './wording.js';

/** The contract, and what only the composition root needs. */
export interface CompiledPolicy extends Policy {
  readonly profiles: readonly ProfileName[];
  readonly offline: 'deny' | 'allow';
  readonly limits: Limits;
  readonly config: CombinedConfig;
  /** What a connection may be: more than one where only a repository's file says so. */
  environmentsOf(connection: string): readonly Environment[];
  /** What decide would be made from, for `dbguard explain`: one line per effect. */
  judge(input: DecisionInput): readonly Judgement[];
}

/** One effect and what became of it. */
export interface Judgement {
  /** Index into `facts.statements`; undefined for a text that could not be read. */
  readonly statement?: number;
  readonly effect: Effect;
  readonly category: EffectCategory;
  readonly decision: Decision;
  readonly rule: string;
  readonly origin: string;
  readonly reason: string;
  readonly pendingRows: boolean;
  readonly once: boolean;
  /** It would be judged otherwise if it hit more rows than somebody has estimated. */
  readonly few?: true;
  /** What is judged where it hits many rows; absent where that is known, or makes no difference. */
  readonly unlessFew?: Judgement;
}

export interface CompileOptions {
  /** In place of the profiles that the user's own files name; the organisation's stays. */
  readonly profile?: ProfileName;
  /** See Policy. */
  readonly unattended?: boolean;
}

const defaultTimeoutMs = 60_000;

/** Throws `config-invalid` when the files do not go together. Without any source: the built-in guarded profile. */
export function compilePolicy(given: readonly PolicySource[], options: CompileOptions = {}): CompiledPolicy {
  const combined = combineConfigs(given);
  const { unattended = false } = options;
  const config = unattended ? unattendedConfig(combined) : combined;
  return new PolicyEngine(config, layersOf(config.sources, options.profile), unattended);
}

class PolicyEngine implements CompiledPolicy {
  readonly name: string;
  readonly digest: string;
  readonly approvalTimeoutMs: number;
  readonly secondPerson: SecondPersonConfig | undefined;
  readonly profiles: readonly ProfileName[];
  readonly offline: 'deny' | 'allow';
  readonly limits: Limits;
  readonly config: CombinedConfig;
  readonly unattended: boolean;
  readonly #layers: readonly Layer[];
  readonly #functions: readonly NamePattern[];
  readonly #limitsByEnvironment = new Map<string, MassLimits>();
  /** Undefined where a rule looks at the clock or at rows. */
  readonly #remembered: RememberedRulings | undefined;

  constructor(config: CombinedConfig, layers: readonly Layer[], unattended: boolean) {
    const policies = config.sources.map((source) => source.config.policy);
    this.unattended = unattended;
    this.config = config;
    this.#layers = layers;
    this.#remembered = layers.every(({ rules }) => areTimeless(rules)) ? new RememberedRulings() : undefined;
    this.profiles = [...new Set(layers.flatMap((layer) => layer.profile ?? []))];
    this.name = [...this.profiles, ...config.sources.map((source) => source.config.file)].join(' + ');
    this.digest = digestOf(config.sources, this.profiles);
    this.approvalTimeoutMs = smallest(policies.map((policy) => policy.approvalTimeoutMs)) ?? defaultTimeoutMs;
    this.secondPerson = config.secondPerson;
    this.limits = combineLimits(policies.map((policy) => policy.limits));
    this.offline = combineOffline(config.sources);
    // Listing a function loosens, which a repository may not.
    this.#functions = config.sources
      .filter((source) => source.level !== 'repository')
      .flatMap((source) => source.config.policy.functions);
  }

  decide(given: DecisionInput): Ruling {
    const input = summedUp(given);
    if (this.#remembered === undefined) return this.#decide(input);
    return this.#remembered.ruling(input, this.#hitsFew(input), (unknown) => this.#decide(unknown));
  }

  /** By keys, and within every limit, whatever was changed before: then no ruling says a number. */
  #hitsFew({ extents, connection }: DecisionInput): boolean {
    if (extents === undefined) return false;
    const limits = this.#massLimits(this.environmentsOf(connection));
    for (const [effect, extent] of extents) {
      if (extent.rows?.how !== 'known' || compareExtent(extent, effect, limits) !== 'few') return false;
    }
    return true;
  }

  #decide(input: DecisionInput): Ruling {
    const ruling = rulingOf(this.#judge(input));
    const access = isRefused(ruling, this.secondPerson) ? undefined : this.accessOffer(input.facts, input.connection);
    return access === undefined ? ruling : { ...ruling, access };
  }

  accessOffer(facts: Facts, connection: string): AccessOffer | undefined {
    return accessOffer(this.config.access, facts, connection);
  }

  surplusRows(connection: string): number {
    const { rows, shareFrom } = this.#massLimits(this.environmentsOf(connection));
    return Math.min(rows, shareFrom);
  }

  judge(given: DecisionInput): Judgement[] {
    return this.#judge(summedUp(given));
  }

  #judge(input: DecisionInput): Judgement[] {
    const environments = this.environmentsOf(input.connection);
    const judgements: Judgement[] = [];
    let inTransaction = input.transactionStatus !== 'I';
    for (const [index, statement] of input.facts.statements.entries()) {
      inTransaction = transactionAfter(statement, inTransaction);
      if (input.changesNothing?.has(index)) {
        const subject = { effect: readsNothing, statement, inTransaction, environments, opaque: false, input };
        judgements.push({ statement: index, ...this.#judgeEffect(subject, 'nothing') });
        continue;
      }
      for (const effect of effectsOf(statement)) {
        const category = categoryOf(effect, statement, this.#functions, input);
        const opaque = effect.opaque && category !== 'function-listed';
        const subject = { effect, statement, inTransaction, environments, opaque, input };
        judgements.push({ statement: index, ...this.#judgeExtent(subject, category) });
      }
    }
    if (input.facts.unparseable) {
      const effect = unreadable;
      const subject = { effect, statement: unreadableStatement, inTransaction, environments, opaque: true, input };
      const judgement = this.#judgeEffect(subject, 'unparseable');
      const reason = judgement.rule.startsWith('builtin:')
        ? unparseableSentence(input.facts.unparseable)
        : judgement.reason;
      judgements.push({ ...judgement, reason });
    }
    return judgements;
  }

  /** The same effect may be harmless on a few rows. */
  #judgeExtent(subject: Subject, category: EffectCategory): Judgement {
    const { effect, statement, input, environments } = subject;
    if (mayBeSmall(category, effect, statement)) return this.#judgeWholeTable(subject);
    const mass = massCategory(category, effect, statement);
    if (mass === undefined) return this.#judgeEffect(subject, category);
    const extent = input.extents?.get(effect) ?? extentOfText(effect);
    const limits = this.#massLimits(environments);
    const compared = compareExtent(extent, effect, limits);
    const few = this.#judgeEffect(subject, category);
    // by key: nobody has estimated anything, unless it is about the rows that refer to that one
    if (compared === 'few' && !effect.passedOn && (extent?.rows?.how ?? 'known') === 'known') return few;
    const many = this.#judgeEffect(subject, mass, extent);
    if (compared === 'many') {
      const runTells = mayAddInstead.has(statement.command) && extent?.rows?.how === 'known';
      return runTells && onlyTheBudgetIsExceeded(extent, effect, limits) ? { ...few, few: true } : many;
    }
    if (compared === 'few') return isStricter(many.decision, few.decision) ? { ...few, few: true } : few;
    return isStricter(many.decision, few.decision) ? { ...few, unlessFew: many } : few;
  }

  /** All rows of a small table are few. */
  #judgeWholeTable(subject: Subject): Judgement {
    const extent = subject.input.extents?.get(subject.effect);
    const compared = compareExtent(extent, subject.effect, this.#massLimits(subject.environments));
    const whole = this.#judgeEffect(subject, 'update-unbounded');
    const few = this.#judgeEffect(subject, 'update');
    if (compared === 'many' || !isStricter(whole.decision, few.decision)) return whole;
    return compared === 'few' ? { ...few, few: true } : { ...few, unlessFew: whole };
  }

  #massLimits(environments: readonly Environment[]): MassLimits {
    const key = environments.join();
    let limits = this.#limitsByEnvironment.get(key);
    if (limits === undefined) {
      const sources = this.config.sources.map(({ level, config }) => ({ level, mass: config.policy.massChanges }));
      limits = massLimits(sources, environments);
      this.#limitsByEnvironment.set(key, limits);
    }
    return limits;
  }

  #judgeEffect(subject: Subject, category: EffectCategory, extent?: Extent): Judgement {
    let found: Finding | undefined;
    let pendingRows = false;
    for (const layer of this.#layers) {
      const finding = judgeByLayer(layer, subject, category);
      pendingRows ||= finding?.pendingRows ?? false;
      if (finding !== undefined && (found === undefined || isStricter(finding.decision, found.decision))) {
        found = finding;
      }
    }
    const { decision, rule, origin, once } = found ?? nothingSaid;
    const why = found?.why;
    const what = sentence(category, subject.effect, subject.statement.command, extent);
    return {
      effect: subject.effect,
      category,
      decision,
      rule,
      origin,
      reason: why === undefined ? what : `${what} ${why}`,
      pendingRows: pendingRows && decision !== 'deny',
      once: once && subject.inTransaction,
    };
  }

  /** Who loosens must not take a repository's word for it that a connection is harmless. */
  environmentsOf(connection: string): readonly Environment[] {
    const known = this.config.connections.get(connection);
    if (known === undefined) return ['production'];
    const trusted = this.config.sources.some(
      ({ level, config }) => level !== 'repository' && config.connections.get(connection) === known,
    );
    return trusted || known.environment === 'production' ? [known.environment] : [known.environment, 'production'];
  }
}

/** Then no role would help. */
export function isRefused({ decision }: Ruling, secondPerson: SecondPersonConfig | undefined): boolean {
  return decision === 'deny' || (decision === 'second-person' && secondPerson === undefined);
}

/** The strictest judgement, with the sentences of all that are as strict: the person decides about the whole text. */
export function rulingOf(judgements: readonly Judgement[]): Ruling {
  const [firstJudged] = judgements;
  if (firstJudged === undefined) return emptyRuling;
  const { decision } = judgements.reduce((a, b) => (isStricter(b.decision, a.decision) ? b : a), firstJudged);
  const same = judgements.filter((one) => one.decision === decision);
  // of what passes, what it changes says more than what it reads for that
  const changes = decision === 'allow' ? same.find(({ effect }) => effect.kind !== 'read') : undefined;
  const strictest = changes ?? same[0] ?? firstJudged;
  const { rule, origin, statement } = strictest;
  const pendingRows = decision !== 'deny' && judgements.some((one) => one.pendingRows);
  const once = decision === 'ask' && same.every((one) => one.once);
  const many = judgements.some((one) => one.unlessFew) ? rulingOf(judgements.map(manyOf)) : undefined;
  // asked about anyway: then all that there is to say is said
  if (many && decision !== 'allow' && !isStricter(many.decision, decision)) {
    return { ...many, rule, origin, ...(statement === undefined ? {} : { statement }) };
  }
  return {
    decision,
    rule,
    origin,
    reason: decision === 'allow' ? strictest.reason : sentences(same),
    ...(statement === undefined ? {} : { statement }),
    ...(pendingRows ? { pendingRows } : {}),
    ...(many ? { unlessFew: many } : {}),
    ...(decision === 'allow' && judgements.some((one) => one.few) ? { few: true } : {}),
    ...(once ? { covers: 'transaction' } : {}),
  };
}

function manyOf({ unlessFew, ...one }: Judgement): Judgement {
  return unlessFew === undefined
    ? one
    : { ...unlessFew, ...(one.statement === undefined ? {} : { statement: one.statement }) };
}

const shownSentences = 3;

function sentences(judgements: readonly Judgement[]): string {
  const all = [...new Set(judgements.map((one) => one.reason))];
  const more = all.length - shownSentences;
  return [...all.slice(0, shownSentences), ...(more > 0 ? [`And ${more} more like these.`] : [])].join(' ');
}

const emptyRuling: Ruling = {
  decision: 'allow',
  rule: 'builtin:empty',
  origin: 'dbguard',
  reason: 'The text holds no statement.',
};

const unreadable: Effect = { kind: 'unknown', targets: [], bounded: false, opaque: true };
const unreadableStatement: StatementFacts = {
  command: '',
  start: 0,
  end: 0,
  effects: [unreadable],
  functions: [],
  parameters: 0,
  deferred: false,
};

/** Statements that may well have no effect at all: `SELECT 1`, `COPY (SELECT 1) TO STDOUT`, CALL of what only computes. Of any other, none means that we missed it. */
const effectless: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'SHOW', 'EXPLAIN', 'COPY', 'CALL']);
/** ON CONFLICT and MERGE: what is there is changed, what is not is added. */
const mayAddInstead: ReadonlySet<string> = new Set(['INSERT', 'MERGE']);
const readsNothing: Effect = { kind: 'read', targets: [], bounded: true, opaque: false };

function effectsOf({ effects, command }: StatementFacts): readonly Effect[] {
  if (effects.length > 0) return effects;
  return [effectless.has(command) ? readsNothing : unreadable];
}

function transactionAfter(statement: StatementFacts, inTransaction: boolean): boolean {
  switch (statement.transaction) {
    case 'begin':
      return true;
    case 'commit':
    case 'rollback':
    case 'prepare-transaction':
      return false;
    default:
      return inTransaction;
  }
}

function summedUp(input: DecisionInput): DecisionInput {
  const extents = withTogether(input.facts, input.extents, input.isTemporary);
  return extents === input.extents ? input : { ...input, extents };
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function combineLimits(all: readonly Limits[]): Limits {
  const statementBytes = smallest(all.map((limits) => limits.statementBytes));
  const connections = smallest(all.map((limits) => limits.connections));
  return {
    ...(statementBytes === undefined ? {} : { statementBytes }),
    ...(connections === undefined ? {} : { connections }),
  };
}

/** Allowed only where a file that may loosen says so and no other file says no. */
function combineOffline(sources: readonly PolicySource[]): 'deny' | 'allow' {
  const said = sources.filter((source) => source.config.policy.offline !== undefined);
  const allowed = said.some(({ level, config }) => level !== 'repository' && config.policy.offline === 'allow');
  return allowed && said.every(({ config }) => config.policy.offline === 'allow') ? 'allow' : 'deny';
}

/** SHA-256 over the built-in table, the profiles and the files with their levels; each line ended, so that no two sets look alike. */
function digestOf(sources: readonly PolicySource[], profiles: readonly ProfileName[]): string {
  const hash = createHash('sha256').update('dbguard-policy-v1\n');
  hash.update(`${JSON.stringify(effectCategories)}\n${profiles.join(' ')}\n`);
  for (const { level, config } of sources) hash.update(`${level} ${config.digest}\n`);
  return hash.digest('base64url');
}
