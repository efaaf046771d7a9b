/**
 * Which hosts a fenced child may reach: entries as a person writes them, and those that everybody needs.
 *
 * An entry is `name`, `*.name` (what is below it), either with `:port`; without a port it means 443 and 80. `localhost:port`
 * is a program of this machine, which is found inside at the same port.
 */
export interface HostEntry {
  /** Lower case, without a dot at its end. */
  readonly name: string;
  /** All names below `name`, and not itself. */
  readonly below: boolean;
  readonly port?: number;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Undefined for what is no entry. A list of everything is none: that is what a shared network is for. */
export function readHost(text: string): HostEntry | undefined {
  const match = /^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(text.toLowerCase());
  if (!match) return undefined;
  const name = plainHost(match[2] ?? '');
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (name === '' || (port !== undefined && (port < 1 || port > 65535))) return undefined;
  const below = match[1] !== undefined;
  // *.com is as good as everything
  if (below && (isAddress.test(name) || !name.includes('.'))) return undefined;
  if (isLocal(name) && port === undefined) return undefined;
  return { name, below, ...(port === undefined ? {} : { port }) };
}

/** Four numbers, or anything with a colon. */
const isAddress = /^[\d.]+$|:/;

/** As names are compared. */
export function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

export function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host);
}

/** Where names are for everybody. */
const webPorts: readonly number[] = [443, 80];

/** Loopback never: it is another one inside. */
export function isListed(entries: readonly HostEntry[], { host, port }: HostPort): boolean {
  const name = plainHost(host);
  if (isLocal(name)) return false;
  return entries.some((entry) => {
    const ports = entry.port === undefined ? webPorts : [entry.port];
    if (!ports.includes(port)) return false;
    return entry.below ? name.endsWith(`.${entry.name}`) : name === entry.name;
  });
}

/** Ports of this machine's own programs that are brought in. */
export function localPorts(entries: readonly HostEntry[]): number[] {
  return [...new Set(entries.flatMap(({ name, port }) => (isLocal(name) && port !== undefined ? [port] : [])))];
}

/** Of a URL in a variable, such as the address of a model's API. */
export function hostOfUrl(value: string): HostEntry | undefined {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return undefined;
  const { hostname, port, protocol } = new URL(value);
  const given = Number(port) || (protocol === 'https:' ? 443 : 80);
  return readHost(`${hostname}:${given}`);
}

/** Where code is kept: nobody should be asked about it. */
const ofCode: readonly string[] = [
  ...['github.com', 'api.github.com', 'codeload.github.com', 'raw.githubusercontent.com'],
  ...['objects.githubusercontent.com', 'release-assets.githubusercontent.com', 'gitlab.com', 'bitbucket.org'],
];

export const codeHosts: readonly HostEntry[] = ofCode.flatMap((text) => readHost(text) ?? []);
