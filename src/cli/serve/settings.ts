/** What a gateway's files say, read again when they change: what is broken then does not count, and is said. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { loadConfigsOrFail } from '../../io/files/config-files.js';
import { type CompiledPolicy, compilePolicy } from '../../policy/engine.js';
import type { ProfileName } from '../../policy/profiles.js';
import type { GatewayIdentity } from '../../policy/read-identity.js';
import type { ServeConfig } from '../../policy/read-serve.js';
import { isBeyondThisVersion } from '../../policy/required-version.js';
import { serveProblems } from '../../policy/serve-rights.js';
import type { CommandContext } from '../command.js';
import { settingsFrom } from '../settings/identity-settings.js';

export interface GatewaySettings {
  readonly sources: ReturnType<typeof loadConfigsOrFail>;
  readonly files: CompiledPolicy;
  readonly serve: ServeConfig;
  readonly identity: NonNullable<ReturnType<typeof settingsFrom>>;
  readonly gateway: GatewayIdentity;
  /** The files' policy with this profile in the place of theirs. */
  policyFor(profile: ProfileName | undefined): CompiledPolicy;
}

/** Throws `config-missing`, `config-invalid`. */
function readGatewaySettings(context: CommandContext, named: string | undefined): GatewaySettings {
  const { cwd, env } = context;
  const sources = loadConfigsOrFail({ cwd, env, named });
  const unattended = true;
  const files = compilePolicy(sources, { unattended });
  const { config } = files;
  const from = config.sources.find((source) => source.config.serve !== undefined);
  const path = sources.find((one) => one.config === from?.config)?.path;
  if (config.serve === undefined || path === undefined)
    throw missing('serve', 'serve: says where it listens and whom it lets in');
  const identity = settingsFrom(config, env);
  if (!identity) throw missing('identity', 'identity.issuer and identity.client_id name the identity provider');
  const gateway = config.identity?.gateway;
  if (gateway === undefined) {
    throw missing('identity.gateway', 'identity.gateway.audience says what tokens for the gateway are made for');
  }
  const problems = serveProblems(config.serve, config.connections, identity.workloadIssuers ?? []);
  if (problems.length > 0) throw new DbguardError('config-invalid', problems.join('\n'));
  const policies = new Map<ProfileName | undefined, CompiledPolicy>();
  return {
    sources,
    files,
    serve: withAbsolutePaths(config.serve, dirname(path)),
    identity,
    gateway,
    policyFor(profile) {
      let policy = policies.get(profile);
      if (policy === undefined) {
        policy = profile === undefined ? files : compilePolicy(sources, { profile, unattended });
        policies.set(profile, policy);
      }
      return policy;
    },
  };
}

function withAbsolutePaths(serve: ServeConfig, folder: string): ServeConfig {
  if (serve.tls === undefined) return serve;
  const { certificate, key } = serve.tls;
  return { ...serve, tls: { certificate: resolve(folder, certificate), key: resolve(folder, key) } };
}

function missing(what: string, hint: string): DbguardError {
  return new DbguardError(
    'config-missing',
    `a gateway needs ${what} in your own dbguard.yaml, or your organisation’s`,
    {
      hint: `${hint}; see dbguard help gateway.`,
    },
  );
}

const lookMs = 2_000;

export interface WatchedSettings {
  readonly now: GatewaySettings;
  /** The files need a later version: what is in `now` has been replaced, and nobody may be judged by it any more. */
  readonly beyond: DbguardError | undefined;
  stop(): void;
}

/** @param onChange told after the new ones count */
export function watchSettings(
  context: CommandContext,
  named: string | undefined,
  { onChange, onTrouble }: { readonly onChange: () => void; readonly onTrouble: (error: DbguardError) => void },
): WatchedSettings {
  let now = readGatewaySettings(context, named);
  let version = versionOf(now);
  let beyond: DbguardError | undefined;
  const timer = setInterval(() => {
    const seen = versionOf(now);
    if (seen === version) return;
    version = seen;
    try {
      now = readGatewaySettings(context, named);
      version = versionOf(now);
      beyond = undefined;
    } catch (error) {
      if (!(error instanceof DbguardError)) throw error;
      onTrouble(error);
      // half a file may be a file on its way; this one is whole, and means what it says
      if (!isBeyondThisVersion(error)) return;
      beyond = error;
    }
    onChange();
  }, lookMs).unref();
  return {
    get now() {
      return now;
    },
    get beyond() {
      return beyond;
    },
    stop: () => clearInterval(timer),
  };
}

function versionOf({ sources }: GatewaySettings): string {
  const stamp = (path: string): string => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? 'gone' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
  };
  return sources.map(({ path }) => stamp(path)).join();
}
