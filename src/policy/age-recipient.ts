/**
 * People to whom recordings are encrypted, as age writes them: `age1...` (X25519, Bech32 of BIP 173 with any length) and
 * `ssh-ed25519 AAAA...` (a line of authorized_keys). A slip of the pen is found here, not when somebody wants to read.
 */

/** Why nothing can be encrypted to it; undefined where something can. */
export function recipientProblem(text: string): string | undefined {
  if (text.startsWith('ssh-ed25519 ')) return sshProblem(text);
  if (/^ssh-|^ecdsa-|^sk-/.test(text)) return 'of SSH keys only ssh-ed25519 can be written to';
  if (/^AGE-SECRET-KEY-|^-----BEGIN/i.test(text))
    return 'this is a private key, and belongs into no such file: give its public half';
  if (!/^age1[a-z0-9]+$/.test(text)) return 'expected age1... or ssh-ed25519 AAAA...';
  if (text.lastIndexOf('1') !== 3) return 'recipients of plugins cannot be written to: give an age1... of age-keygen';
  const words = wordsOf(text);
  if (words === undefined || polymod([...prefixWords('age'), ...words]) !== 1)
    return 'its check sum does not fit: a character is wrong or missing';
  // 256 bits in words of five, and the check sum
  return words.length === 52 + 6 ? undefined : 'it has another length than an age1... of age-keygen';
}

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function wordsOf(text: string): number[] | undefined {
  const words = [...text.slice(4)].map((character) => alphabet.indexOf(character));
  return words.includes(-1) ? undefined : words;
}

function prefixWords(prefix: string): number[] {
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

/** BIP 173. */
function polymod(words: readonly number[]): number {
  let check = 1;
  for (const word of words) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ word;
    for (const [bit, generator] of generators.entries()) if ((top >> bit) & 1) check ^= generator;
  }
  return check;
}

/** RFC 8709 section 4: two strings with their lengths, the name and 32 bytes. */
function sshProblem(text: string): string | undefined {
  const base64 = text.split(/\s+/)[1] ?? '';
  const bytes = Buffer.from(base64, 'base64');
  const whole = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  const head = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
  const right = whole && bytes.length === head.length + 32 && bytes.subarray(0, head.length).equals(head);
  return right ? undefined : 'it is no whole line of an ssh-ed25519 key: copy it from the .pub file';
}
