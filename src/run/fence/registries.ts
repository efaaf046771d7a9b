/**
 * Package registries that the person's tools are set up with. Those that the tools come with are theirs to know: such a host
 * is asked about once for a project.
 */
import { type HostEntry, hostOfUrl } from '../../policy/hosts.js';

/** Of npm, Yarn, pip, uv, Go, Cargo, RubyGems, Maven wrappers and Hex. Some are lists. */
const variables = [
  ...['NPM_CONFIG_REGISTRY', 'npm_config_registry', 'YARN_NPM_REGISTRY_SERVER', 'YARN_REGISTRY'],
  ...['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL'],
  ...[
    'GOPROXY',
    'CARGO_REGISTRIES_CRATES_IO_INDEX',
    'RUBYGEMS_HOST',
    'BUNDLE_MIRROR__ALL',
    'MVNW_REPOURL',
    'HEX_MIRROR',
  ],
];

export function registryHosts(env: Readonly<Record<string, string | undefined>>): HostEntry[] {
  return variables.flatMap((name) =>
    (env[name] ?? '')
      .split(/[\s,|]+/)
      // an index of uv may have a name, one of Cargo a protocol before it
      .flatMap((one) => hostOfUrl(one.replace(/^(?:[\w-]+=|sparse\+)/, '')) ?? []),
  );
}
