/** What a lead says of a bucket, on the command line and in a file: who has to be there, how long objects stay. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import * as verify from '../../src/cli/commands/transcripts-verify.js';
import { testIssuer } from '../transcript/people.js';
import { record } from '../transcript/recorded.js';
import { commandWorld } from './command-world.js';

const issuer = await testIssuer();
const DAY = 86_400_000;
/** At noon, three days ago or a little more. */
const monday = lastMonday(Date.now() - 3 * DAY);

function lastMonday(before: number): number {
  const noon = before - (before % DAY) + DAY / 2;
  return noon - ((new Date(noon).getUTCDay() + 6) % 7) * DAY;
}

/** So many days after that Monday, as in a file. */
const day = (n = 0): string => new Date(monday + n * DAY).toISOString().slice(0, 10);

async function adaOnMonday(t: Test) {
  const { run, store, root } = commandWorld(t, issuer);
  const login = await issuer.login('ada', { at: monday });
  const first = record(login, { at: monday });
  const { sid, size, head } = first;
  const second = record(login, { at: monday + 3_600_000, previous: { sid, size, head } });
  for (const session of [first, second]) await store(session);
  const verifyAll = (options = {}) => run(verify, [], { all: true, keys: 'keys.json', ...options });
  const told = (yaml: string) => {
    writeFileSync(join(root, 'team.yaml'), `version: 1\n${yaml}`);
    return verifyAll({ expect: 'team.yaml' });
  };
  const lose = () => rmSync(join(root, 'bucket', first.prefix), { recursive: true });
  return { run, verifyAll, told, lose, root, first };
}

test('who is expected, in a file', async (t) => {
  const { told } = await adaOnMonday(t);
  const ada = 'person: ADA@example.test';
  t.match(await told(`expect:\n  - { ${ada}, on: ${day()} }\n`), { code: 0 });
  const twoDays = await told(`expect:\n  - { ${ada}, from: ${day()}, to: ${day(1)} }\n`);
  t.match(twoDays, { code: 1, out: new RegExp(`no session of ada@example.test on ${day(1)}, UTC`) });
  const weekend = await told(`expect:\n  - { ${ada}, from: ${day(-2)}, to: ${day()}, weekdays: true }\n`);
  t.match(weekend, { code: 0 }, 'not on a Saturday');
  const whole = await told(`expect:\n  - { ${ada}, from: ${day(-2)}, to: ${day()} }\n`);
  t.match(whole, { code: 1, out: new RegExp(`${day(-2)}, ${day(-1)}`) });
  const bob = await told(`expect:\n  - { person: bob, on: ${day()} }\n`);
  t.match(bob, { code: 1, out: new RegExp(`no session of bob on ${day()}`) });
});

test('a file that is wrong says where, and what belongs there', async (t) => {
  const { told, verifyAll } = await adaOnMonday(t);
  const wrong: readonly [string, RegExp][] = [
    ['expects: []\n', /team.yaml:2.*expects/],
    ['expect:\n  - { person: ada }\n', /team.yaml:3.*from/],
    ['expect:\n  - { person: ada, on: 2026-02-30 }\n', /team.yaml:3.*a day like 2026-11-23/],
    ['expect:\n  - { person: ada, from: 2026-08-04, to: 2026-08-03 }\n', /end before they begin/],
    ['retention_days: soon\n', /team.yaml:2/],
    ['known_objects: notes.txt\n', /team.yaml:2/],
  ];
  for (const [yaml, message] of wrong) await t.rejects(told(yaml), { code: 'config-invalid', message }, yaml);
  await t.rejects(verifyAll({ expect: 'nowhere.yaml' }), { message: /nowhere.yaml/ });
  await t.rejects(verifyAll({ expect: 'ada tomorrow' }), { message: /ada tomorrow/ });
});

test('who is expected, on the command line; of one session it makes no sense', async (t) => {
  const { run, verifyAll, first } = await adaOnMonday(t);
  t.match(await verifyAll({ expect: `ada@example.test ${day()}` }), { code: 0 });
  t.match(await verifyAll({ expect: `ada ${day()}..${day(2)}` }), { code: 1, out: new RegExp(`${day(1)}, ${day(2)}`) });
  await t.rejects(run(verify, [first.sid], { keys: 'keys.json', expect: `ada ${day()}` }), { code: 'usage' });
});

test('objects that somebody has looked at', async (t) => {
  const { told, verifyAll, root } = await adaOnMonday(t);
  writeFileSync(join(root, 'bucket', 'notes.txt'), 'hello');
  t.match(await verifyAll(), { code: 2, out: /notes.txt/ });
  const known = await told('known_objects: [notes.txt]\n');
  t.equal(known.code, 0);
  t.notMatch(known.out, /notes.txt/);
  t.match(await told('known_objects: [other.txt]\n'), { code: 2 }, 'another one says nothing of it');
});

test('how long objects stay: what has expired is a note, what went too early a failure', async (t) => {
  const { verifyAll, told, lose } = await adaOnMonday(t);
  lose();
  t.match(await verifyAll(), { code: 1, out: /session-missing/ });
  t.match(await verifyAll({ retention: '2d' }), { code: 0, out: /has expired/ });
  t.match(await told('retention_days: 2\n'), { code: 0, out: /has expired/ });
  t.match(await verifyAll({ retention: '400d' }), { code: 1, out: /session-missing/ });
  for (const retention of ['soon', '0d', '-1d'])
    await t.rejects(verifyAll({ retention }), { code: 'usage' }, retention);
});
