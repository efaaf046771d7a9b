/** The database as it was answered, with the password that stands with it, or that the person gave for this alone. */
import { DbguardError } from '../../errors.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import type { CommandContext } from '../command.js';
import { databaseLines } from '../doctor/database-lines.js';
import { lineOf } from '../doctor/examine.js';
import { upstreamOf } from '../settings/connection.js';
import { foundUpstream, type Offer } from '../settings/found-connection.js';
import { fileOf } from './answers.js';
import type { InitAnswers } from './template.js';
import type { Outcome, Trial } from './trial.js';

/** @param given as the person typed them: `database` may hold a password */
export async function tryDatabase(
  context: CommandContext,
  answers: InitAnswers,
  given: Readonly<Record<string, string>>,
  offer: Offer | undefined,
  { signal }: Trial,
): Promise<Outcome> {
  const url = given.database?.trim() ?? '';
  if (url === '') return { lines: [] };
  const { name } = answers;
  const upstream = upstreamFor(context, answers, url, given.password || undefined, offer);
  const before = offer === undefined ? '' : 'give its address here, then: ';
  try {
    return { lines: await databaseLines({ name, upstream, signal, before }) };
  } catch (error) {
    const passwordWanted = error instanceof DbguardError && error.code === 'upstream-auth';
    return { lines: [lineOf(error)], passwordWanted };
  }
}

function upstreamFor(
  context: CommandContext,
  answers: InitAnswers,
  url: string,
  password: string | undefined,
  offer: Offer | undefined,
): UpstreamConfig {
  if (offer !== undefined) return foundUpstream(offer.found, context, password);
  const { name } = answers;
  const connection = fileOf(answers).config.connections.get(name);
  if (connection === undefined) throw new RangeError(`no connection ${name}`);
  return password === undefined
    ? upstreamOf({ ...connection, url }, name, context.env)
    : upstreamOf(connection, name, { ...context.env, PGPASSWORD: password });
}
