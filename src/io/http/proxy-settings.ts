/**
 * HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case, as curl and Go read them: which proxy a request goes
 * through. Never the database: that is no HTTP. Credentials of a proxy's URL stay out of every error.
 */
import { BlockList, isIP } from 'node:net';
import { DbguardError } from '../../errors.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The proxy for `target`; undefined: the request goes there itself. Throws DbguardError `usage` for one that is no URL. */
export function proxyFor(target: URL, env: Env): URL | undefined {
  const names = target.protocol === 'https:' ? ['HTTPS_PROXY', 'ALL_PROXY'] : ['HTTP_PROXY', 'ALL_PROXY'];
  const found = names.flatMap((name) => {
    const value = (env[name.toLowerCase()] ?? env[name])?.trim();
    return value ? [{ name, value }] : [];
  })[0];
  if (found === undefined || isExempt(target, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined;
  return proxyUrl(found.name, found.value);
}

/** For people: where it is, never with whose credentials. */
export function proxyLabel(proxy: URL): string {
  return `${proxy.hostname}:${portOf(proxy)}`;
}

export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

function proxyUrl(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.hostname && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new DbguardError('usage', `${name} is not the URL of an HTTP proxy`, {
    hint: `Set it as http://proxy.example.com:3128, or unset it. SOCKS proxies are not supported.`,
  });
}

/** As in Go, this machine itself is never reached through a proxy. */
function isExempt(target: URL, noProxy: string): boolean {
  const host = bare(target.hostname);
  if (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    (isIP(host) === 4 && /^127\./.test(host))
  )
    return true;
  return noProxy.split(/[\s,]+/).some((entry) => entry !== '' && covers(entry.toLowerCase(), host, portOf(target)));
}

/** `*`, `host`, `.host`, `*.host` (all three with what is below), `host:port`, `10.0.0.0/8`, `fd00::/8`, `[::1]:8080`. */
function covers(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const withPort = /^(\[[^\]]+\]|[^:/]+):(\d{1,5})$/.exec(entry);
  if (withPort) return Number(withPort[2]) === port && covers(withPort[1] ?? '', host, port);
  const [address = '', bits] = entry.split('/');
  const family = isIP(bare(address));
  if (family !== 0) return coversAddress(bare(address), family, bits, host);
  const name = entry.replace(/^\*?\./, '').replace(/\.$/, '');
  return host === name || host.endsWith(`.${name}`);
}

function coversAddress(address: string, family: number, bits: string | undefined, host: string): boolean {
  if (isIP(host) !== family) return false;
  const longest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, prefix, kind);
  return list.check(host, kind);
}

function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}
