/** Who may answer where the agent has started dbguard, as process tables. */
import t from 'tap';
import { agentsAbove, judgePeer, type ProcessInfo } from '../../src/approval/peer-ancestry.js';

/** pid: [parent, session, started, has a terminal, user]. */
type Table = Readonly<Record<number, readonly [number, number, number, boolean, number?]>>;

const ada = 1000;
/** systemd --user, which adopts orphans. */
const adopter = 50;
const ground: Table = { 1: [0, 1, 0, false, 0], [adopter]: [1, adopter, 5, false] };

function looking(table: Table) {
  const all: Table = { ...ground, ...table };
  return (pid: number): ProcessInfo | undefined => {
    const row = all[pid];
    if (row === undefined) return undefined;
    const [parent, session, started, terminal, user = ada] = row;
    return { pid, parent, session, started, terminal, user, marked: false };
  };
}

/** dbguard mcp is 900, started at 100. */
const cases: readonly [
  name: string,
  table: Table,
  agents: readonly number[],
  trusted: readonly number[],
  refused: readonly number[],
][] = [
  [
    'an agent in a terminal window: its shell and all below it; not another window of the same terminal',
    {
      200: [adopter, 200, 10, false],
      210: [200, 210, 11, true],
      220: [210, 210, 12, true],
      900: [220, 210, 100, true],
      300: [220, 300, 101, false],
      301: [220, 301, 20, false],
      310: [200, 310, 110, true],
      320: [310, 310, 111, true],
      330: [adopter, 330, 112, false],
    },
    [220, 210],
    [320],
    [210, 220, 300, 301, 330, 900],
  ],
  [
    'through a wrapper in a session of its own',
    {
      200: [adopter, 200, 10, false],
      210: [200, 210, 11, true],
      220: [210, 210, 12, true],
      230: [220, 230, 99, false],
      900: [230, 230, 100, false],
      300: [220, 300, 20, false],
      310: [200, 310, 11, true],
    },
    [230, 220, 210],
    [310],
    [300],
  ],
  [
    'an editor: whatever it has started, its terminals too',
    {
      220: [adopter, 220, 12, false],
      221: [220, 220, 13, false],
      222: [220, 220, 13, false],
      223: [222, 223, 14, true],
      900: [221, 220, 100, false],
      310: [adopter, 310, 11, false],
      311: [310, 311, 12, true],
    },
    [221, 220],
    [311],
    [223],
  ],
  [
    'a container whose first process is the agent: who comes in from outside is none of its',
    { 900: [1, 900, 100, false, 0], 300: [1, 300, 20, false, 0], 310: [0, 310, 110, true, 0] },
    [1],
    [310],
    [300, 1],
  ],
  [
    'below sshd, which is another user’s',
    {
      100: [1, 100, 6, false, 0],
      110: [100, 110, 7, false, 0],
      220: [110, 220, 8, false],
      900: [220, 220, 100, false],
      120: [100, 120, 120, false, 0],
      320: [120, 320, 121, true],
    },
    [220],
    [320],
    [220],
  ],
];

for (const [name, table, agents, trusted, refused] of cases) {
  t.test(name, async (t) => {
    const look = looking(table);
    const guard = look(900) as ProcessInfo;
    const adopters = new Set([1, adopter]);
    const found = agentsAbove(guard, look, adopters);
    t.strictSame([...found], agents);
    const judge = (pid: number) => judgePeer(pid, look, { guard, childSession: undefined, adopters, agents: found });
    for (const pid of trusted) t.strictSame(judge(pid), { trusted: true }, `${pid}`);
    for (const pid of refused) t.equal(judge(pid).trusted, false, `${pid}`);
  });
}
