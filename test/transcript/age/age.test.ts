/** age files of ours and of age itself: both ways for keys of age-keygen, and for ssh-ed25519 keys made by ssh-keygen. */
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { decryptionWith, encryptionTo } from '../../../src/transcript/age/age.js';
import { readIdentities } from '../../../src/transcript/age/identities.js';
import { newSshKey, sshKeyOf } from '../../helpers/ssh-key.js';
import { fixedKey } from '../vector.js';

/** By age 1.1.1: `printf 'read by one' | age -R reader.pub`; the key is made of a word, and belongs to nobody. */
const byAge =
  'YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNzaC1lZDI1NTE5IDhqcDNydyBHQkFYdHk5T3BkSGgzTGYvaW9NblBDL1REcVRZdmxlZTgvMjkyVUltK2s4Clc5QUJKT3AxbWhXSkFaV1Q3cncrU25KdFk1VU9HMElwbUR0bkhvWlFkc1kKLS0tIE5vTEJuQTZVOEpULzk2ZDNvanE4dElJVDVJZEhaSmtqdkNNNGNSTUpxUkkKvJFie003kxuq8V62byLGLe4ynw7mt6uS/Sc4RM5UxIXsbwB0EIK6CCu83w==';

t.test('a file of age itself', async (t) => {
  const { privateFile } = sshKeyOf(fixedKey('reader of recordings').key);
  const open = await decryptionWith(readIdentities(privateFile, 'key'));
  t.equal(Buffer.from(await open(Buffer.from(byAge, 'base64'))).toString(), 'read by one');
});

t.test('ours, to several people', async (t) => {
  const [one, other, age] = [newSshKey(), newSshKey(), await generateX25519Identity()];
  const seal = await encryptionTo([one.publicLine, await identityToRecipient(age)]);
  const sealed = await seal(Buffer.from('text'));
  for (const key of [one.privateFile, age]) {
    const open = await decryptionWith(readIdentities(key, 'key'));
    t.equal(Buffer.from(await open(sealed)).toString(), 'text');
  }
  const stranger = await decryptionWith(readIdentities(other.privateFile, 'key'));
  await t.rejects(stranger(sealed), /no identity matched/);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const open = await decryptionWith(readIdentities(one.privateFile, 'key'));
    await open(changed).then(
      (text) => t.equal(Buffer.from(text).toString(), 'text', `byte ${at} changes what is read`),
      () => undefined,
    );
  }
});

t.test('what is no key, in words that hold nothing of it', async (t) => {
  const { privateFile } = newSshKey();
  const whole = privateFile.split('\n');
  for (const text of [
    '',
    '# nothing',
    'AGE-SECRET-KEY-1',
    'secret words',
    privateFile.slice(0, 90),
    `${whole[0]}\n${whole[1]}\n${whole.at(-2)}`,
  ]) {
    t.throws(() => readIdentities(text, 'the file'), { code: 'usage', message: /^the file holds no key/ });
  }
  const locked = Buffer.from(whole.slice(1, -2).join(''), 'base64').toString('latin1').replace('none', 'aes2');
  const text = `${whole[0]}\n${Buffer.from(locked, 'latin1').toString('base64')}\n${whole.at(-2)}`;
  t.throws(() => readIdentities(text, 'the file'), { message: /locked with a passphrase/, hint: /ssh-keygen -p/ });
  for (const start of ['age-encryption.org/v1\n-> scrypt abc 18\n', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n'])
    t.throws(() => readIdentities(start, 'the file'), { message: /locked with a passphrase/, hint: /age -d/ });
});

t.test('a line that is whole, and is nobody’s key', async (t) => {
  const wire = Buffer.from(newSshKey().publicLine.split(' ')[1] ?? '', 'base64');
  const tried = Array.from({ length: 40 }, (_, at) => Buffer.from([...wire.subarray(0, -1), at]).toString('base64'));
  const sealed = await Promise.allSettled(tried.map((base64) => encryptionTo([`ssh-ed25519 ${base64}`])));
  const refused = sealed.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  t.ok(refused.length > 0);
  for (const error of refused) t.match(error, { code: 'config-invalid', message: /nobody’s key/ });
});
