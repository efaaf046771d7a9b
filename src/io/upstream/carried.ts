/**
 * What of the person's goes to the server that a repository's connection string names: the password in PGPASSWORD, in a
 * service or in .pgpass, a client certificate. A password that stands in the string itself is the repository's own.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { singleLine } from '../../untrusted-text.js';
import type { UpstreamConfig, UpstreamHost } from './config.js';
import { parseConninfo } from './conninfo.js';
import type { Keyword, Settings } from './keywords.js';
import { findPassword } from './password.js';

/**
 * What each connection parameter means for a credential of the person's.
 * - `where`: it decides who gets it, or how well it is made sure who that is.
 * - `file`: the same, by what stands in a file of that name.
 * - `free`: neither; or, as a password, it is a credential of the string's own.
 */
const meaning = {
  service: 'free', // a section of the person's own file
  user: 'where',
  password: 'free',
  passfile: 'file',
  channel_binding: 'where',
  connect_timeout: 'free',
  dbname: 'where',
  host: 'where',
  hostaddr: 'where',
  port: 'where',
  client_encoding: 'free',
  options: 'free', // settings of the session: judged as statements are
  application_name: 'free',
  fallback_application_name: 'free',
  keepalives: 'free',
  keepalives_idle: 'free',
  keepalives_interval: 'free',
  keepalives_count: 'free',
  tcp_user_timeout: 'free',
  sslmode: 'where',
  sslnegotiation: 'where',
  sslcompression: 'free',
  sslcert: 'file',
  sslkey: 'file',
  sslkeylogfile: 'where',
  sslcertmode: 'where',
  sslpassword: 'free',
  sslrootcert: 'file',
  sslcrl: 'file',
  sslcrldir: 'where',
  sslsni: 'free',
  requirepeer: 'where',
  require_auth: 'where',
  min_protocol_version: 'free',
  max_protocol_version: 'free',
  ssl_min_protocol_version: 'where',
  ssl_max_protocol_version: 'where',
  gssencmode: 'where',
  krbsrvname: 'where',
  gsslib: 'where',
  gssdelegation: 'where',
  replication: 'free',
  target_session_attrs: 'where',
  load_balance_hosts: 'free',
  scram_client_key: 'free',
  scram_server_key: 'free',
  oauth_issuer: 'where',
  oauth_client_id: 'where',
  oauth_client_secret: 'free',
  oauth_scope: 'where',
} as const satisfies Readonly<Record<Keyword, 'where' | 'file' | 'free'>>;

const ofLogin = ['password', 'scram_client_key', 'scram_server_key'] as const;

/** As Use of policy/trust.ts has them. */
export interface Carried {
  readonly to: string;
  readonly carries: readonly string[];
  readonly depends: string;
  /** The string itself decides who the server is. */
  readonly leads: boolean;
}

/**
 * @param url of a file that is not the person's own; undefined where it names a service only
 * @param login that the same file names besides the one of `url`: no password of the string's goes with it
 */
export async function carriedTo(config: UpstreamConfig, url: string | undefined, login?: string): Promise<Carried> {
  const said: Settings = url === undefined ? new Map() : parseConninfo(url);
  if (login !== undefined) for (const keyword of ofLogin) said.delete(keyword);
  if (login !== undefined) said.set('user', login);
  const leads = [...said.keys()].some((keyword: Keyword) => meaning[keyword] !== 'free');
  const carries = leads ? [...(await passwordsOf(config, said)), ...certificatesOf(config)] : [];
  return { to: addressOf(config), carries, depends: digestOfFiles(said), leads };
}

async function passwordsOf({ auth, hosts, user, database }: UpstreamConfig, said: Settings): Promise<string[]> {
  if (said.get('password') || said.get('scram_client_key')) return [];
  if (auth.password || auth.scramClientKey) {
    return [said.has('service') ? 'the password of the service it names' : 'the password in PGPASSWORD'];
  }
  if (auth.minted) return ['a token of your AWS account'];
  if (auth.passwordCommand) return ['the password that password_command prints'];
  const found = await Promise.all(hosts.map((host) => findPassword(auth, { host, user, database })));
  return found.some(({ password }) => password) ? [`the password in ${singleLine(auth.passfile ?? '', 200)}`] : [];
}

function certificatesOf({ tls, hosts }: UpstreamConfig): string[] {
  const overNetwork = hosts.some(({ host }) => !/^[/@]/.test(host));
  if (tls.mode === 'disable' || tls.cert === undefined || !overNetwork || !existsSync(tls.key.path)) return [];
  return [`the proof of the client certificate ${singleLine(tls.cert.path, 200)}`];
}

function addressOf({ user, hosts, database }: UpstreamConfig): string {
  return singleLine(`${user}@${hosts.map(hostOf).join(', ')}, database ${database}`, 300);
}

function hostOf({ host, hostaddr, port }: UpstreamHost): string {
  const name = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return hostaddr === undefined || hostaddr === host ? name : `${name} (at the address ${hostaddr})`;
}

/** A root certificate that is swapped for another one leads elsewhere. */
function digestOfFiles(said: Settings): string {
  const hash = createHash('sha256');
  for (const [keyword, path] of said) {
    if (meaning[keyword] !== 'file') continue;
    hash.update(`${keyword} ${path} ${contentOf(path).toString('base64')}\n`);
  }
  return hash.digest('base64url');
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
