/**
 * Who may come in by the loopback port: the password of the run opens every user, so that PGPASSWORD and `psql -U` go
 * together; a user's own password opens that one alone, for a program that shall be nobody else.
 *
 * What lives here: verifiers, all with one salt. What it must not know: sockets, who the users are on the server. A name that
 * is nobody's passes with the password of the run, and is refused later in words that help; without it the exchange is that
 * of any other name.
 */
import { randomBytes } from 'node:crypto';
import { makeScramVerifier, type ScramVerifier, scramKeyLength } from '../../wire/scram-keys.js';
import { ScramServer } from '../../wire/scram-server.js';

/** @param own passwords by user */
export async function loopbackPasswords(
  ofRun: string,
  own: ReadonlyMap<string, string>,
): Promise<(user: string) => ScramServer> {
  const salt = randomBytes(16);
  const every = await makeScramVerifier(ofRun, salt);
  const alone = new Map<string, ScramVerifier>();
  for (const [user, password] of own) alone.set(user, await makeScramVerifier(password, salt));
  // as much work for a name without one: time must not tell the names
  const nobody = { ...every, storedKey: randomBytes(scramKeyLength), serverKey: randomBytes(scramKeyLength) };
  return (user) => new ScramServer([every, alone.get(user) ?? nobody], randomBytes(18));
}
