/** Roles for a time, where nothing is about them. */
import { AccessWindows } from '../../src/proxy/session-state/access-windows.js';

export function noWindows(): AccessWindows {
  return new AccessWindows({ rules: [], recorder: { append: () => 0 }, clocks: [], every: () => () => undefined });
}
