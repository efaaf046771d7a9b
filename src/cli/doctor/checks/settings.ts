/** The files that speak, and what they trust. */
import { shortPath } from '../../../io/files/config-files.js';
import { type Check, ok, warning } from '../check.js';

export const settings: Check = {
  name: 'settings',
  async run({ context, settings: read }) {
    const { sources, config } = read();
    if (sources.length === 0)
      return [
        warning(
          'no dbguard.yaml here, above, or in your own folder: built-in policy, found connection',
          'dbguard init',
        ),
      ];
    const files = sources.map(({ level, path }) => `${shortPath(path, context.cwd)} (${level})`);
    const names = [...config.connections.keys()];
    const what = names.length === 0 ? 'no connection in them' : `connections: ${names.join(', ')}`;
    return [ok(`${files.join(', ')}; ${what}`)];
  },
};
