/** What a gateway says, a line of JSON each: who came, who was turned away and why, what is in trouble. Never a token, a statement or a value. */
import type { Writable } from 'node:stream';
import type { DbguardError } from '../../errors.js';
import { printable } from '../../untrusted-text.js';

type Fields = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface GatewayLog {
  say(event: string, fields?: Fields): void;
  /** One line a minute for each kind; how many there were stands in the next. */
  trouble(error: DbguardError): void;
}

const quietMs = 60_000;
const longest = 500;

export function gatewayLog(out: Writable, onTrouble: (error: DbguardError) => void = () => undefined): GatewayLog {
  const said = new Map<string, { at: number; again: number }>();
  const say = (level: string, event: string, fields: Fields): void => {
    const safe = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? printable(value, longest) : value,
    ]);
    out.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...Object.fromEntries(safe) })}\n`);
  };
  return {
    say: (event, fields = {}) => say('info', event, fields),
    trouble(error) {
      onTrouble(error);
      const { code, message, hint } = error;
      const kind = `${code} ${message}`;
      const known = said.get(kind);
      if (known && Date.now() - known.at < quietMs) {
        known.again++;
        return;
      }
      if (said.size > 1000) said.clear();
      said.set(kind, { at: Date.now(), again: 0 });
      say('warning', 'trouble', { code, message, hint, again: known?.again || undefined });
    },
  };
}
