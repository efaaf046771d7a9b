/**
 * The floors of src/, written once: what each may import, and whether it may touch the outside world. `.biome.json`'s
 * overrides are made from this list (`UPDATE_FLOORS=1 npx tap run test/house/floors.test.ts`); floors.test.ts holds them to it.
 */

export interface Floor {
  readonly name: string;
  /** The floors that it may import from, besides the ground (the files directly in src/) and itself. */
  readonly below: readonly string[];
  readonly message: string;
  /** Sockets, files, processes and terminals are io's and the command line's. */
  readonly touchesWorld: boolean;
}

const sansIo = (name: string, below: readonly string[]): Floor => ({
  name,
  below,
  message: `src/${name}/ may import only from the floors below it; the outside world comes in through an interface that io/ implements.`,
  touchesWorld: false,
});

/** From the ground up. */
export const floors: readonly Floor[] = [
  sansIo('wire', []),
  sansIo('sql', ['wire']),
  sansIo('policy', ['wire', 'sql']),
  sansIo('transcript', ['wire', 'sql', 'policy']),
  sansIo('identity', ['wire', 'sql', 'policy', 'transcript']),
  sansIo('masking', ['wire', 'sql', 'policy', 'transcript']),
  sansIo('proxy', ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking']),
  sansIo('run', ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking', 'proxy']),
  sansIo('approval', ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking', 'proxy', 'run']),
  sansIo('ui', ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking', 'proxy', 'run', 'approval']),
  sansIo('review', ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking', 'proxy']),
  {
    name: 'io',
    below: ['wire', 'sql', 'policy', 'transcript', 'identity', 'masking', 'proxy', 'run', 'approval'],
    message: 'io/ implements what the floors declare; it never calls the command line or a screen.',
    touchesWorld: true,
  },
  {
    name: 'cli',
    below: [
      'wire',
      'sql',
      'policy',
      'transcript',
      'identity',
      'masking',
      'proxy',
      'run',
      'approval',
      'ui',
      'review',
      'io',
    ],
    message: 'The command line may use every floor.',
    touchesWorld: true,
  },
];

/** How deep a file may lie in its floor: a floor, a room, a room of a room. */
const climbs = ['../', '../../', '../../../'];

const worldModules = [
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:tls',
  'node:http',
  'node:https',
  'node:child_process',
  'node:tty',
  'node:dgram',
];

/** The linter's override for one floor. */
function override({ name, below, message, touchesWorld }: Floor): object | undefined {
  const above = floors.map((floor) => floor.name).filter((other) => other !== name && !below.includes(other));
  if (above.length === 0) return undefined;
  const group = above.flatMap((other) => climbs.map((climb) => `${climb}${other}/**`));
  const paths = Object.fromEntries(worldModules.map((module) => [module, 'Only src/io/ touches the outside world.']));
  const options = { patterns: [{ group, message }], ...(touchesWorld ? {} : { paths }) };
  return {
    includes: [`src/${name}/**`],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } },
  };
}

/** What `.biome.json` must say in `overrides`. */
export const lintOverrides: readonly object[] = floors.flatMap((floor) => override(floor) ?? []);
