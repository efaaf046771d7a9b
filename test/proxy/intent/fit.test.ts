import * as fc from 'fast-check';
import t from 'tap';
import { type ClaimedCall, knownProcess, plain, startedBy, underWay } from '../../../src/proxy/intent/fit.js';

const words = (...args: string[]) => ({ program: args[0] ?? '', args, startedAt: 1000 });

function process(chain: readonly (readonly string[])[], agentSession?: string) {
  const [own = [], ...above] = chain;
  return knownProcess({
    ...{ pid: 1, line: '', ...words(...own), ancestors: above.map((args) => words(...args)) },
    ...(agentSession === undefined ? {} : { agentSession }),
  });
}

function call(given: Partial<ClaimedCall> & { command?: string }): ClaimedCall {
  const { command } = given;
  return { session: 's', given: command ?? '', at: 900, open: true, ...given, command: command && plain(command) };
}

t.test('a process is told from others by the commands above it, however shells quote them', async (t) => {
  const command = `psql -c "DELETE FROM orders WHERE note = 'it''s'" -v x=1`;
  const asked = call({ command });
  const other = call({ command: 'npm test -- --grep orders' });
  const psql = ['psql', '-c', "DELETE FROM orders WHERE note = 'it''s'", '-v', 'x=1'];
  const claude = ['claude'];
  const quoted = command.replaceAll("'", `'"'"'`);
  const shells: Record<string, readonly (readonly string[])[]> = {
    'the shell has become the command': [psql, claude],
    'sh -c': [psql, ['/bin/sh', '-c', command], claude],
    'eval in a shell of its own': [
      psql,
      ['/bin/bash', '-c', '-l', `source /tmp/s && eval '${quoted}' < /dev/null`],
      claude,
    ],
    'one part of a longer command': [
      ['node', 'x.js'],
      ['/bin/bash', '-c', `cd /x && ${command} && echo done`],
    ],
  };
  for (const [name, chain] of Object.entries(shells)) {
    t.equal(startedBy(process(chain), [other, asked]), asked, name);
    t.equal(startedBy(process(chain), [other]), undefined, `${name}: no other call`);
  }
  t.equal(
    startedBy(process([['psql', '-c', 'DROP TABLE orders'], ['sh', '-c', 'ls tools'], claude]), [
      call({ command: 'ls' }),
    ]),
    undefined,
    'a short command is not found in a longer one',
  );
});

t.test('an agent that was started with the words of its prompt is no sign of a call', async (t) => {
  const command = 'psql -c "DELETE FROM orders"';
  const lines = process([
    ['psql', '-c', 'DROP TABLE orders'],
    ['claude', '-p', `run ${command}`],
  ]);
  t.equal(startedBy(lines, [call({ command, at: 2000 })]), undefined);
});

t.test('no process fits a command that nothing above it was started with', async () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 6 }),
      fc.array(fc.array(word, { minLength: 1 }), { minLength: 1, maxLength: 4 }),
      (command, chain) => {
        const inside = chain.map((args) => plain(args.join(' ')));
        const wanted = plain(command.join(' '));
        const related = inside.some((line) => line.includes(wanted) || wanted.includes(line));
        const found = startedBy(process(chain), [call({ command: command.join(' ') })]);
        return found === undefined || related || plain(inside.join('')).includes(wanted);
      },
    ),
  );
});

t.test('without such a command: what fits, and how that is known', async (t) => {
  const psql = process([['psql'], ['claude']], 's');
  const stranger = process([['psql'], ['claude']]);
  const command = call({ command: 'ls -la /project' });
  const tool = call({ given: '{"sql":"SELECT 1"}' });
  t.match(underWay(psql, [command], 'SELECT 1'), { call: command, fit: 'other' });
  t.match(underWay(undefined, [command], 'SELECT 1'), { call: command, fit: 'time' });
  t.match(underWay(psql, [tool, command], 'SELECT 1'), { call: tool, fit: 'text' });
  t.match(underWay(psql, [tool], 'SELECT 2'), { call: tool, fit: 'session' });
  t.match(underWay(stranger, [tool], 'SELECT 2'), { call: tool, fit: 'time' });
  t.equal(underWay(psql, [tool, command], 'SELECT 2'), undefined, 'one of two');
  t.equal(underWay(psql, [call({ session: 'another', given: 'x' })], 'SELECT 2'), undefined, 'of another session');
  t.equal(underWay(psql, [call({ given: 'x', open: false })], 'SELECT 2'), undefined, 'it has ended');
});
