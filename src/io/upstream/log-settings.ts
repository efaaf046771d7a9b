/** The settings by which a server's own log is read: everybody may ask for them. */
import type { UpstreamConfig } from './config.js';
import type { Upstream } from './connect.js';
import { ask } from './session-attrs.js';

export interface LogSettings {
  readonly logLinePrefix?: string;
  readonly logTimezone?: string;
}

const patienceMs = 3_000;

/** Empty where the server, or a pooler before it, does not say. The connection is of no use afterwards. */
export async function readLogSettings(
  { socket, rest }: Upstream,
  { user, database }: Pick<UpstreamConfig, 'user' | 'database'>,
): Promise<LogSettings> {
  const timer = setTimeout(() => socket.destroy(new Error('the server did not answer in time')), patienceMs);
  try {
    if (rest.length > 0) socket.unshift(rest);
    const settings =
      "SELECT pg_catalog.concat_ws(E'\\n', pg_catalog.current_setting('log_timezone'), pg_catalog.current_setting('log_line_prefix'))";
    const [zone, ...prefix] =
      (await ask({ socket }, { label: 'the server', user, database }, settings))?.split('\n') ?? [];
    return zone === undefined ? {} : { logTimezone: zone, logLinePrefix: prefix.join('\n') };
  } catch {
    return {};
  } finally {
    clearTimeout(timer);
  }
}
