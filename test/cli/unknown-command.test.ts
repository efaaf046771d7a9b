/** A command that is not there is an error, whatever else stands on the line. */
import { execa } from 'execa';
import t from 'tap';
import { dbguardProgram } from '../helpers/repository.js';

async function exitCode(line: string): Promise<readonly [number | undefined, string]> {
  const { exitCode, stderr } = await execa(process.execPath, [dbguardProgram, ...line.split(' ')], {
    reject: false,
    env: { NODE_OPTIONS: '' },
  });
  return [exitCode, stderr];
}

t.test('help for a command that is not there is no success', async (t) => {
  for (const line of ['nope --help', '--help nope', 'nope -h', 'help nope', 'policy nope --help', 'help policy nope']) {
    const [code, stderr] = await exitCode(line);
    t.equal(code, 64, line);
    t.match(stderr, /unknown command 'nope'/, line);
  }
});

t.test('help for one that is there is', async (t) => {
  for (const line of ['--help', 'help', 'policy --help', 'policy test --help', 'help policy', 'run --help', 'help run'])
    t.strictSame(await exitCode(line), [0, ''], line);
});
