/**
 * Masks of one client connection: which plan goes with a statement, and how its answers are rewritten.
 *
 * What lives here: the search_path as far as it is known, the plan of each statement under way. What it must not know:
 * sockets, the gate, how lineage is found.
 */

import type { Detected } from '../../masking/detectors/detected.js';
import { unmaskSetting } from '../../masking/exemptions.js';
import type { RewritePlan } from '../../masking/rewrite-plan.js';
import type { SessionMasks } from '../../masking/session-masks.js';
import type { MaskPlan } from '../../masking/statement-plan.js';
import { type Ruling, unmaskRule } from '../../policy/decision.js';
import { detectedAs } from '../../policy/mask-kinds.js';
import { updatesSettings } from '../../sql/catalog/system-relations.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, Facts, StatementFacts } from '../../sql/facts.js';
import type { SearchPath } from '../../sql/lineage/catalog.js';
import { pathSettings } from '../../sql/lineage/names.js';
import type { MadeRelation } from '../../sql/lineage/temporary.js';
import { encodeNotice } from '../../wire/backend.js';
import { counted } from '../../words.js';
import type { Candidate } from '../candidate.js';
import type { AnsweredStatement, StatementTracker } from '../statement-tracker.js';
import { savepointOf, setsSavepoints } from './savepoints.js';

export interface ClientMasks {
  readonly plans: SessionMasks;
  /** Schemas that a fresh connection searches, `$user` replaced. */
  readonly defaultPath: SearchPath;
}

export class ResultMasks implements StatementTracker {
  readonly #client: ClientMasks;
  /** Not known once something may have changed it. */
  #path: SearchPath;
  readonly #told = new Set<string>();
  #toldOfUnion = false;
  /** Temporary relations that statements under way make, and nothing else of the catalog's. */
  readonly #making = new WeakMap<Pick<Candidate, 'facts'>, readonly MadeRelation[]>();
  /** Lasting ones. */
  readonly #lasting = new WeakMap<Pick<Candidate, 'facts'>, readonly MadeRelation[]>();
  /** These leave the catalog as it is. */
  readonly #idle = new WeakSet<Pick<Candidate, 'facts'>>();
  /** What is to be done once they have gone back to a savepoint. */
  readonly #returning = new WeakMap<Pick<Candidate, 'facts'>, () => void>();
  /** All that these do to the catalog is known. */
  readonly #followed = new WeakSet<Pick<Candidate, 'facts'>>();

  constructor(client: ClientMasks) {
    this.#client = client;
    this.#path = client.defaultPath;
  }

  plan(sql: string): MaskPlan {
    return this.#client.plans.planFor(sql, this.#path);
  }

  /** What the server says of any of these may hold masked values. */
  hidesDiagnostics(texts: readonly string[]): boolean {
    return texts.some((sql) => {
      const plan = this.plan(sql);
      return plan.kind === 'deny' || (plan.kind === 'mask' && plan.diagnostics);
    });
  }

  forwarded(candidate: Candidate): void {
    // under the search_path that holds before it
    this.#followTemporary(candidate);
    this.#followFresh(candidate);
    this.#followSavepoints(candidate);
    this.#client.plans.filling(candidate.sql, this.#path);
    const { facts } = candidate;
    const effects = facts.statements.flatMap((statement) => statement.effects);
    if (facts.unparseable || facts.statements.some(({ command }) => defining.test(command))) {
      this.#client.plans.defining(candidate.sql, !(this.makesOnlyKnown(candidate) || this.#followed.has(candidate)));
    }
    if (
      facts.unparseable ||
      effects.some((effect) => effect.kind === 'session' || effect.opaque || updatesSettings(effect))
    ) {
      // which settings a SET or an unseen function leaves behind is not followed; unqualified names then bind to nothing
      const harmless = effects.every(
        (effect) =>
          !effect.opaque &&
          !updatesSettings(effect) &&
          effect.targets.every((target) => !pathSettings.has(target.name)),
      );
      if (facts.unparseable || !(harmless || this.#leavesPath(candidate, effects))) this.#path = undefined;
    }
  }

  /** Lineage sees more than facts do: what views call that the catalog does not know yet. */
  #leavesPath({ sql }: Candidate, effects: readonly Effect[]): boolean {
    if (effects.some((effect) => effect.kind === 'session' || updatesSettings(effect))) return false;
    const all = this.#client.plans.names(sql, this.#path);
    return all?.every(({ opaque, configures }) => !opaque && !configures) ?? false;
  }

  /** All that it changes in the catalog are temporary relations of this client, and what they hold is known. */
  makesOnlyKnown(candidate: Pick<Candidate, 'facts'>): boolean {
    return (this.#making.get(candidate)?.length ?? 0) > 0 || this.#idle.has(candidate);
  }

  /** Follows what becomes of names that only this client has. */
  #followTemporary(candidate: Candidate): void {
    const { facts } = candidate;
    const { temporary } = this.#client.plans;
    const changes = facts.statements.flatMap(({ effects }) => effects.filter(mayChangeNames));
    const discards = facts.statements.some(({ command }) => command.startsWith('DISCARD'));
    if (facts.unparseable || discards || changes.some(({ opaque }) => opaque)) temporary.doubtAll();
    const made = this.#onlyMade(candidate, changes);
    if (made.length > 0 && temporary.begun(made)) {
      this.#making.set(candidate, made);
      return;
    }
    for (const { targets, newName } of changes) {
      for (const { name } of targets) temporary.doubt(name);
      if (newName !== undefined) temporary.doubt(newName);
    }
  }

  #followSavepoints(candidate: Candidate): void {
    const { fresh } = this.#client.plans;
    const { facts } = candidate;
    const savepoint = savepointOf(facts);
    if (savepoint?.does === 'rollback-to') this.#returning.set(candidate, fresh.rollingBackTo(savepoint.name));
    else if (savepoint === undefined && setsSavepoints(facts)) fresh.forgetSavepoints();
  }

  /** Follows what the open transaction makes, before anybody can read it in the catalog. */
  #followFresh(candidate: Candidate): void {
    const { facts, sql } = candidate;
    const { plans } = this.#client;
    const { fresh } = plans;
    const changes = facts.unparseable || facts.statements.some(({ effects }) => effects.some(mayChangeNames));
    if (!changes && fresh.known.size === 0) return;
    if (facts.statements.some(({ command }) => command.startsWith('ROLLBACK'))) fresh.rolledBack();
    const all = facts.unparseable ? undefined : plans.names(sql, this.#path);
    if (all === undefined) fresh.doubtAll();
    const making: MadeRelation[] = [];
    for (const { made, lost } of all ?? []) {
      if (made?.vacates !== undefined) fresh.doubt(made.vacates);
      if (made?.lasting && fresh.begun([made])) making.push(made);
      else if (made?.lasting || lost === 'all') fresh.doubtAll();
      else for (const name of lost) fresh.doubt(name);
    }
    if (making.length > 0) this.#lasting.set(candidate, making);
    if (all !== undefined && all.length > 0 && all.every(({ idle }) => idle)) this.#idle.add(candidate);
    const defining = facts.statements.filter(({ transaction }) => transaction !== 'begin');
    if (making.length > 0 && defining.length === making.length) this.#followed.add(candidate);
  }

  /** The temporary relations that a text makes, where it changes nothing else; none where it may. */
  #onlyMade({ facts, sql }: Candidate, changes: readonly Effect[]): readonly MadeRelation[] {
    if (facts.unparseable || changes.length === 0 || !changes.every(makesTemporary)) return [];
    const names = this.#client.plans.names(sql, this.#path) ?? [];
    const made = names.flatMap(({ made }) => (made && !made.lasting ? made : []));
    const isMade = ({ targets }: Effect, at: number): boolean => made[at]?.relation.name === targets[0]?.name;
    return made.length === changes.length && changes.every(isMade) ? made : [];
  }

  /** For columns that this client has not been told about. A notice may stand anywhere, so no driver trips over it. */
  notices({ masked, undividedUnion }: RewritePlan): Buffer[] {
    const notices = this.#maskedNotices(masked);
    if (undividedUnion && !this.#toldOfUnion) notices.push(undividedNotice);
    this.#toldOfUnion ||= undividedUnion;
    return notices;
  }

  #maskedNotices(masked: RewritePlan['masked']): Buffer[] {
    return masked.flatMap(({ name, reveals }) => {
      const column = name.join('.');
      if (this.#told.has(column)) return [];
      this.#told.add(column);
      const liftable = this.#client.plans.exemptions?.isLiftable(...name) ?? false;
      const hint = `SET ${unmaskSetting} = '${column.replaceAll("'", "''")}' asks a person to show it for a while.`;
      return encodeNotice({
        severity: 'NOTICE',
        code: '00000',
        message: `dbguard masks ${column}; what is left: ${reveals}`,
        ...(liftable ? { hint } : {}),
      });
    });
  }

  /** Of columns that nobody declared, once for each in a run. */
  undeclared(found: readonly Detected[]): Buffer[] {
    return found.map(({ column, what, declarable }) =>
      encodeNotice({
        severity: 'NOTICE',
        code: '00000',
        message: `dbguard: values of ${column} look like ${what.map((one) => detectedAs[one]).join(', ')}, and no mask is declared for it`,
        ...(declarable
          ? { hint: 'Run "dbguard mask suggest" to write a rule, or tag the column dbguard:mask=none.' }
          : {}),
      }),
    );
  }

  /** What becomes of a statement that asks for a mask to be lifted; undefined for any other. */
  unmasking(facts: Facts): Ruling | undefined {
    const asked = askedToUnmask(facts);
    const request = asked === undefined ? undefined : this.#client.plans.exemptions?.request(asked);
    if (request === undefined) return undefined;
    if (request.kind === 'refused') {
      return { decision: 'deny', rule: unmaskRule, origin: 'dbguard', reason: request.reason };
    }
    const minutes = counted(Math.round(request.forMs / 60_000), 'minute');
    const reason = `This shows the real values of ${request.column} for ${minutes}, in every connection of this run.`;
    return { decision: 'ask', rule: unmaskRule, origin: request.origin, reason };
  }

  /** What may take away a mask that stands in the database, which would then be gone for the next run. */
  untagging(facts: Facts): Ruling | undefined {
    if (!facts.statements.some(mayTakeTag) || !this.#client.plans.hasTags) return undefined;
    const reason = 'This may take away what says in the database that a column is masked.';
    return { decision: 'ask', rule: 'builtin:mask-tag', origin: 'dbguard', reason };
  }

  answered({ candidate, ruling, why, how, tags, transactionStatus }: AnsweredStatement): void {
    const { temporary, fresh } = this.#client.plans;
    if (how === 'done') temporary.made(this.#making.get(candidate) ?? []);
    // in a transaction of its own others may change it before the client is asked for more
    if (how === 'done' && transactionStatus === 'T') fresh.made(this.#lasting.get(candidate) ?? []);
    const returned = this.#returning.get(candidate);
    if (returned && how === 'done') returned();
    else if (how !== 'done' || tags.includes('ROLLBACK')) fresh.rolledBack();
    const savepoint = how === 'done' ? savepointOf(candidate.facts) : undefined;
    if (savepoint?.does === 'savepoint') fresh.savepointSet(savepoint.name);
    if (savepoint?.does === 'release') fresh.released(savepoint.name);
    if (fresh.known.size > 0 && tags.some((tag) => ends.has(tag))) fresh.doubtAll();
    // an error, too, undoes what the transaction did, or a part of it
    if (how !== 'done' || tags.includes('ROLLBACK')) temporary.rolledBack();
    // a mask is lifted once a person has said yes, and the statement has run
    if (how !== 'done' || why !== 'approved' || ruling.rule !== unmaskRule) return;
    const asked = askedToUnmask(candidate.facts);
    if (asked !== undefined) this.#client.plans.exemptions?.grant(asked);
  }

  transactionOver(): void {
    this.#client.plans.temporary.transactionOver();
    this.#client.plans.fresh.transactionOver();
  }
}

const undividedNotice = encodeNotice({
  severity: 'NOTICE',
  code: '00000',
  message: 'dbguard masks every row of this UNION: which branch a row is of cannot be told',
  hint: "Give each branch a constant of its own (SELECT 'a' AS branch, ...): then rows that need no mask show.",
});

const ends: ReadonlySet<string> = new Set(['COMMIT', 'PREPARE TRANSACTION']);

const defining = /^(CREATE|ALTER|DROP)\b/;

const changesCatalog = kindsWith('changes-catalog');

function mayChangeNames({ kind, opaque }: Effect): boolean {
  return opaque || changesCatalog.has(kind);
}

function makesTemporary({ kind, opaque, temporary, targets }: Effect): boolean {
  return kind === 'create' && !opaque && temporary === true && targets.length === 1;
}

const tagCatalogs: ReadonlySet<string> = new Set(['pg_description', 'pg_seclabel']);
const writesRows = kindsWith('writes-rows');

function mayTakeTag({ command, effects }: StatementFacts): boolean {
  if (command === 'SECURITY LABEL') return true;
  return effects.some(({ kind, targets }) =>
    targets.some(({ name, columns }) => {
      return (command === 'COMMENT' && columns !== undefined) || (writesRows.has(kind) && tagCatalogs.has(name));
    }),
  );
}

/** By itself in its text: nothing else runs under the approval. */
function askedToUnmask({ statements, unparseable }: Facts): string | undefined {
  const [statement, ...more] = statements;
  const [effect, ...others] = statement?.effects ?? [];
  if (unparseable || more.length > 0 || others.length > 0 || statement?.command !== 'SET') return undefined;
  const [target, ...rest] = effect?.targets ?? [];
  return effect?.kind === 'session' && rest.length === 0 && target?.name === unmaskSetting ? effect.value : undefined;
}
