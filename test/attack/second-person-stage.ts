/** People with logins of one issuer, a bucket in a folder, and a run of one of them that asks for a second person. */

import { SecondPersonAsker, type SecondPersonParts } from '../../src/approval/second-person/asker.js';
import { readRequest } from '../../src/approval/second-person/objects.js';
import { OpenRequest } from '../../src/approval/second-person/open-request.js';
import { Team } from '../../src/approval/second-person/team.js';
import { thumbprint } from '../../src/identity/binding.js';
import type { Login } from '../../src/identity/identity.js';
import { createSession, evidenceOf, sessionId, sessionSigner } from '../../src/identity/session.js';
import { openDirectoryBucket } from '../../src/io/bucket/directory.js';
import type { SecondPersonConfig } from '../../src/policy/read-second-person.js';
import type { ApprovalRequest } from '../../src/proxy/statement/asker.js';
import { evidenceJudge } from '../../src/review/approval-checks.js';
import { sha256 } from '../../src/sha256.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import type { Bucket, EntryBody } from '../../src/transcript/entry.js';
import { realClock } from '../approval/clock.js';
import { request } from '../approval/requests.js';
import { clientId, type TestIssuer, testIssuer } from '../transcript/people.js';

const HOUR = 3_600_000;
export const analyser = await createAnalyser();

export const config: SecondPersonConfig = {
  approvers: ['lead@example.test', 'dba@example.test'],
  min: 1,
  level: 'dpop',
  maxLoginAgeMs: 12 * HOUR,
  waitMs: 10 * 60_000,
  waitInTransactionMs: 20_000,
  validForMs: 30 * 60_000,
  webhooks: [],
};

export interface Stage {
  readonly bucket: Bucket;
  readonly issuer: TestIssuer;
  readonly judge: ReturnType<typeof evidenceJudge>;
  /** Of a run of ada's. */
  readonly asker: SecondPersonAsker;
  /** What its transcript got. */
  readonly entries: EntryBody[];
  readonly parts: SecondPersonParts;
  /** Puts it into the bucket, and leaves before anybody answers. */
  publish(about?: ApprovalRequest): Promise<OpenRequest>;
  /** The team's requests, as that person sees them. */
  team(login: Login, now?: number): Team;
}

let entry = 3;

/** As the gate asks: each time another entry of the transcript. */
export function asked(sql = 'DELETE FROM orders', changes: Partial<ApprovalRequest> = {}): ApprovalRequest {
  const now = Date.now();
  const { ruling } = request();
  return request({
    sql,
    facts: analyser.analyse(sql),
    entry: entry++,
    ruling: { ...ruling, decision: 'second-person', rule: 'two' },
    meaning: sha256(sql, 'base64url'),
    askedAt: now,
    expiresAt: now + config.waitMs,
    ...changes,
  });
}

/** @param issuer of another stage, for another session at the same issuer */
export async function stage(
  folder: string,
  changes: Partial<SecondPersonParts> = {},
  issuer?: TestIssuer,
  person = 'ada',
): Promise<Stage> {
  issuer ??= await testIssuer();
  const bucket = changes.bucket ?? openDirectoryBucket(folder);
  const judge = evidenceJudge({
    keys: { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] },
    demands: { clientId },
  });
  const credential = createSession(await issuer.login(person), { now: Date.now(), lifetimeMs: HOUR });
  const entries: EntryBody[] = [];
  const parts: SecondPersonParts = {
    local: { ask: () => Promise.reject(new Error('the first person was asked')) },
    bucket,
    recorder: { append: (body) => entries.push(body as EntryBody) },
    config,
    evidence: evidenceOf(credential),
    sid: credential.sid,
    target: 'db.example 5432',
    signer: { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
    judge,
    clock: realClock,
    newId: () => sessionId(Date.now()),
    surplusRows: () => 100,
    ...changes,
  };
  const asker = new SecondPersonAsker(parts);
  const known = new Set<string>();
  return {
    bucket: bucket as Bucket,
    issuer,
    judge,
    asker,
    entries,
    parts,
    async publish(about = asked()) {
      const leave = new AbortController();
      const asking = asker.ask(about, leave.signal);
      const id = await publishedId(bucket, known);
      known.add(id);
      leave.abort('cancel');
      await asking;
      return new OpenRequest({ ...(await readRequest(bucket, id)), estimatedRows: about.impact.estimatedRows });
    },
    team: (login, now) => {
      const own = createSession(login, { now: now ?? Date.now(), lifetimeMs: HOUR });
      return new Team({
        bucket,
        judge,
        evidence: evidenceOf(own),
        sid: own.sid,
        signer: { keyid: thumbprint(own.sessionJwk), ...sessionSigner(own) },
        factsOf: (sql) => analyser.analyse(sql),
        ownView: async () => ({ not: 'there is no database' }),
        now: () => now ?? Date.now(),
      });
    },
  };
}

async function publishedId(bucket: SecondPersonParts['bucket'], known: ReadonlySet<string>): Promise<string> {
  for (;;) {
    for await (const { key } of bucket.list('approvals/')) {
      const [, id = '', part] = key.split('/');
      if (part === 'request' && !known.has(id)) return id;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
