/** `dbguard serve` in front of a test server: an issuer of people, a platform that vouches for the gateway and for services, real TLS. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { makeCertificate } from '../io/upstream/certificates.js';
import type { TestIdp } from './idp.js';
import { type PostgresOptions, startPostgres, type TestPostgres } from './postgres.js';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.js';
import { makeWorkspace, type Spawned, type Workspace } from './workspace.js';

export const audience = 'dbguard-gateway';
export const gatewaySubject = 'system:serviceaccount:db:dbguard';

type Settings = Readonly<Record<string, unknown>>;

export interface GatewayStage {
  readonly postgres: TestPostgres;
  readonly people: TokenIssuer;
  readonly platform: TokenIssuer;
  readonly workspace: Workspace;
  /** PEM file that a client verifies the gateway with. */
  readonly rootcert: string;
  readonly ca: string;
  /** dbguard.yaml anew; `serve` is put over the usual one. */
  configure(serve?: Settings, more?: Settings): void;
  /** What `configure` writes, as a value: for a replica with a file of its own. */
  settings(serve?: Settings, more?: Settings): Settings;
  /** @param config another file than `configure` writes @param env over the workspace's */
  start(how?: { readonly config?: string; readonly env?: Readonly<Record<string, string>> }): Promise<RunningGateway>;
  /** Of a person of the issuer; claims beside the usual ones. */
  tokenOf(name: string, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

export interface RunningGateway {
  readonly port: number;
  readonly oauth: number;
  readonly http: number;
  readonly process: Spawned;
  /** Lines of its log so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Connected by that token; `database` is a connection's name unless given. */
  connect(token: string, options?: pg.ClientConfig): Promise<pg.Client>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | undefined>;
}

export interface GatewayStageOptions {
  /** Whose people it lets in; default: those whom `people` signs for. */
  readonly idp?: TestIdp;
  readonly postgres?: PostgresOptions;
  /** Of people's tokens. */
  readonly alg?: 'RS256' | 'ES256';
  /** Of every command. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function stageGateway({
  idp,
  postgres: server,
  alg,
  env,
}: GatewayStageOptions = {}): Promise<GatewayStage> {
  const [postgres, people, platform] = await Promise.all([
    startPostgres(server),
    startTokenIssuer('somebody', alg),
    startTokenIssuer(gatewaySubject),
  ]);
  const workspace = makeWorkspace({ ...platform.jobEnv, ...env });
  const authority = makeCertificate({ name: 'gateway authority', authority: true });
  const leaf = makeCertificate({ name: 'gateway', issuer: authority, hosts: ['localhost', '127.0.0.1'] });
  const [certificate, key, rootcert] = ['tls.crt', 'tls.key', 'root.crt'].map((name) => join(workspace.home, name));
  if (!certificate || !key || !rootcert) throw new Error('no files');
  writeFileSync(certificate, leaf.pem);
  writeFileSync(key, leaf.keyPem, { mode: 0o600 });
  writeFileSync(rootcert, authority.pem);
  const config = join(workspace.project, 'dbguard.yaml');
  const settings: GatewayStage['settings'] = (serve = {}, more = {}) => ({
    identity: {
      issuer: idp?.issuer ?? people.issuer,
      client_id: 'dbguard',
      workload_issuers: [platform.issuer],
      gateway: { audience, subjects: [gatewaySubject] },
    },
    connections: { shop: { url: postgres.url(), environment: 'development' } },
    default_connection: 'shop',
    serve: {
      listen: '127.0.0.1:0',
      listen_oauth: '127.0.0.1:0',
      http: '127.0.0.1:0',
      tls: { certificate, key },
      people: { 'ada@example.test': { connections: ['shop'] }, 'bob@example.test': { connections: ['shop'] } },
      services: { 'repo:acme/shop:*': { connections: ['shop'], profile: 'read-only' } },
      ...serve,
    },
    ...more,
  });
  const configure: GatewayStage['configure'] = (serve, more) => workspace.configure({ ...settings(serve, more) });
  configure();
  const started: RunningGateway[] = [];
  return {
    ...{ postgres, people, platform, workspace, rootcert, configure, settings },
    ca: authority.pem,
    async start(how = {}) {
      const process = workspace.dbguard(['serve', '--json', '--config', how.config ?? config], { env: { ...how.env } });
      const log: Record<string, unknown>[] = [];
      void (async () => {
        for await (const line of process.iterable({ from: 'stderr' })) log.push(readLine(String(line)));
      })().catch(() => undefined);
      const { value } = await process.iterable()[Symbol.asyncIterator]().next();
      if (value === undefined) throw new Error(`dbguard serve ended: ${(await process).stderr}`);
      const { listen, oauth, http } = JSON.parse(String(value));
      const gateway: RunningGateway = {
        ...{ port: listen, oauth, http, process, log },
        async connect(token, options = {}) {
          const tls = { ca: authority.pem, host: '127.0.0.1' };
          const client = new pg.Client({
            ...{
              host: '127.0.0.1',
              port: listen,
              user: 'ada@example.test',
              database: 'shop',
              password: token,
              ssl: tls,
            },
            ...options,
          });
          client.on('error', () => undefined);
          await client.connect();
          return client;
        },
        async stop() {
          process.kill('SIGTERM');
          return (await process).exitCode;
        },
      };
      started.push(gateway);
      return gateway;
    },
    tokenOf: (name, claims = {}) =>
      people.sign({
        sub: name,
        email: `${name}@example.test`,
        aud: audience,
        jti: `${name}-${Math.random()}`,
        ...claims,
      }),
    async close() {
      for (const one of started) {
        one.process.kill('SIGKILL');
        await one.process;
      }
      await Promise.all([postgres.stop(), people.close(), platform.close()]);
      workspace.remove();
    },
  };
}

function readLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}
