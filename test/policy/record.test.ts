/** `record` of a connection: what counts, what is refused and in which words, what lint says of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { recipientProblem } from '../../src/policy/age-recipient.js';
import { parseConfig } from '../../src/policy/config.js';
import { lintPolicy } from '../../src/policy/lint.js';
import { newSshKey } from '../helpers/ssh-key.js';

/** Both stand in the chapter. */
const chapter = readFileSync(join(import.meta.dirname, '../../src/review/RECORDINGS.md'), 'utf8');
const [person = ''] = /age1[a-z0-9]+/.exec(chapter) ?? [];
const [owner = ''] = /ssh-ed25519 \S+/.exec(chapter) ?? [];
const configOf = (record: string) =>
  parseConfig(`version: 1\nconnections:\n  main:\n    url: postgresql://a/x\n    record: ${record}\n`, 'dbguard.yaml');
const recordOf = (record: string) => configOf(record).connections.get('main')?.record;
const lint = (record: string) =>
  lintPolicy([{ level: 'user', config: configOf(record) }]).map(({ message }) => message);

t.test('what it says', async (t) => {
  t.strictSame(recordOf('{ results: masked }'), {
    ...{ results: true, terminal: false, maxRows: 1000, encryptTo: [], required: false },
  });
  t.strictSame(
    recordOf(`{ terminal: on, max_rows: 5, keep: 90d, required: true, encrypt_to: [${person}, '${owner} me@desk'] }`),
    { results: false, terminal: true, maxRows: 5, keepDays: 90, encryptTo: [person, owner], required: true },
  );
  t.same(lint(`{ terminal: on, keep: 90d, encrypt_to: [${person}] }`), []);
});

t.test('what is refused', async (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['{ results: all }', /record.results: expected one of masked, off/],
    ['{ terminal: on, max_rows: 0 }', /max_rows/],
    ['{ terminal: on, keep: 12h }', /expected whole days, such as 90d/],
    ['{ terminal: on, keep: 90 }', /duration/],
    ['{ terminal: on, encrypt_to: [] }', /at least one recipient/],
    ['{ terminal: on, encrypt_to: [ada] }', /expected age1... or ssh-ed25519/],
    [`{ terminal: on, encrypt_to: [${person.slice(0, -1)}z] }`, /check sum/],
    ['{ terminal: on, keys: on }', /keys/],
  ];
  for (const [record, message] of refused) t.throws(() => configOf(record), { message }, record);
});

t.test('recipients: every slip of the pen is found', async (t) => {
  t.equal(recipientProblem(person), undefined);
  t.equal(recipientProblem(owner), undefined);
  t.equal(recipientProblem(newSshKey().publicLine), undefined);
  for (let at = 4; at < person.length; at++) {
    const other = person[at] === 'q' ? 'p' : 'q';
    t.type(
      recipientProblem(person.slice(0, at) + other + person.slice(at + 1)),
      'string',
      `character ${at} is another`,
    );
    t.type(recipientProblem(person.slice(0, at) + person.slice(at + 1)), 'string', `character ${at} is missing`);
  }
  const [type, base64 = ''] = owner.split(' ');
  for (const end of [0, 10, base64.length - 4]) t.type(recipientProblem(`${type} ${base64.slice(0, end)}`), 'string');
  for (const other of [
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ',
    'age1yubikey1qg8',
    'AGE-SECRET-KEY-1QQ',
    person.toUpperCase(),
  ])
    t.type(recipientProblem(other), 'string', other);
});

t.test('what nobody can have meant', async (t) => {
  t.match(lint('{ results: off }'), [/records nothing/]);
  t.match(lint('{ results: masked }'), [/whoever may read the bucket/, /until somebody deletes it/]);
  t.match(lint(`{ results: masked, keep: 1d, encrypt_to: [${person}, ${person}] }`), [/a recipient twice/]);
});
