/** Two developers with a folder, a state and a login each, one database and one bucket. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startIdp } from '../helpers/idp.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { makeWorkspace, type Spawned, type Workspace } from '../helpers/workspace.js';
import { drivers } from './developer.js';

export interface TwoDevelopers {
  readonly postgres: TestPostgres;
  /** Asks. */
  readonly ada: Workspace;
  /** Is asked. */
  readonly lead: Workspace;
  /** `dbguard run -- ...command` of ada's, in the background. */
  run(command: readonly string[], args?: readonly string[]): Spawned;
  /** What the lead sees once so many requests are open that nobody has answered. */
  waiting(count?: number): Promise<readonly WaitingRequest[]>;
  configure(secondPerson: object, more?: object): void;
}

export interface WaitingRequest {
  readonly id: string;
  readonly preview: {
    readonly headline: string;
    readonly statement: string;
    readonly impact: readonly { readonly label: string; readonly text: string }[];
  };
  readonly obstacle?: string;
  readonly subject: { readonly email: string };
}

export const rule = (effect: string) => ({
  name: `second-${effect}`,
  when: { effect },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of a rule
  then: 'second-person',
});

export async function twoDevelopers(
  t: Test,
  options: { readonly bucket?: object; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<TwoDevelopers> {
  let person = 'ada';
  const [postgres, idp] = await Promise.all([startPostgres(), startIdp({ person: () => person })]);
  const [ada, lead] = [makeWorkspace(options.env), makeWorkspace(options.env)];
  t.teardown(async () => {
    await Promise.all([postgres.stop(), idp.close()]);
    for (const workspace of [ada, lead]) workspace.remove();
  });
  // named, so that they count as the person's own
  const own = ({ project }: Workspace) => ({ DBGUARD_CONFIG: join(project, 'dbguard.yaml') });
  const configure = (secondPerson: object, more: object = {}): void => {
    for (const workspace of [ada, lead]) {
      workspace.configure({
        identity: { issuer: idp.issuer, client_id: idp.clientId },
        connections: { main: { url: postgres.url(), environment: 'development' } },
        default_connection: 'main',
        bucket: `file:${ada.bucket}`,
        ...options.bucket,
        policy: { rules: [rule('delete'), rule('drop')] },
        second_person: secondPerson,
        ...more,
      });
    }
  };
  for (const [name, workspace] of [
    ['ada', ada],
    ['lead', lead],
  ] as const) {
    person = name;
    await workspace.login(idp);
  }
  configure({ approvers: ['lead@example.test'] });
  const asThemselves = (workspace: Workspace): Workspace => ({
    ...workspace,
    dbguard: (args, how = {}) =>
      workspace.dbguard(args, { ...how, env: { ...own(workspace), ...drivers, ...how.env } }),
  });
  const [first, second] = [asThemselves(ada), asThemselves(lead)];
  return {
    postgres,
    ada: first,
    lead: second,
    configure,
    run: (command, args = []) => first.dbguard(['run', ...args, '--', ...command]),
    async waiting(count = 1) {
      for (const until = Date.now() + 90_000; ; ) {
        const { stdout, stderr, exitCode } = await second.dbguard(['approvals', '--team', '--json']);
        if (exitCode !== 0) throw new Error(String(stderr));
        const open = JSON.parse(String(stdout)).filter(({ answered }: { answered: boolean }) => !answered);
        if (open.length >= count) return open;
        if (Date.now() > until) throw new Error('nobody asks for a second person');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
  };
}

/** The objects of all approvals lie there. */
export function hasApprovals(bucket: string): boolean {
  return existsSync(join(bucket, 'approvals'));
}
