/**
 * What a webhook is told of a request: the headline and who asks, never a value, never the statement. A chat reads it,
 * where names of an agent's choosing must neither link nor call anybody.
 */
import type { WebhookFormat } from '../../policy/read-second-person.js';
import { singleLine } from '../../untrusted-text.js';
import { headline } from '../headline.js';
import { isProduction } from '../preview.js';
import { type SecondPersonEvent, shortId } from './asker.js';

const headlineMax = 200;

/** JSON text; undefined for what nobody has to hear of. */
export function webhookBody(event: SecondPersonEvent, format: WebhookFormat): string | undefined {
  if (event.kind === 'unanswered') return undefined;
  const { id, request, by } = event;
  const told = {
    headline: singleLine(headline(request), headlineMax),
    connection: singleLine(request.connection, 60),
    production: isProduction(request.environment) || isProduction(request.connection),
    subject: singleLine(request.subject, 120),
    ...(by === undefined ? {} : { by: singleLine(by, 200) }),
  };
  if (format === 'json') return JSON.stringify({ event: event.kind, id, ...told });
  const where = `${told.connection}${told.production ? ' (PRODUCTION)' : ''}`;
  const text =
    event.kind === 'asked'
      ? `${told.subject} needs a second person on ${where}: ${told.headline}. Look at it with: dbguard approvals --team (request ${shortId(id)})`
      : `${told.by} ${event.kind} request ${shortId(id)} of ${told.subject} on ${where}: ${told.headline}`;
  return format === 'slack' ? slack(text) : teams(text);
}

/** https://docs.slack.dev/messaging/formatting-message-text: these three are what a text cannot hold. */
function slack(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return JSON.stringify({ text: escaped });
}

/** An adaptive card, which reads its text as Markdown. */
function teams(text: string): string {
  const body = [{ type: 'TextBlock', wrap: true, text: text.replace(/[\\`*_[\]()#<>~]/g, '\\$&') }];
  const content = { type: 'AdaptiveCard', version: '1.4', body };
  return JSON.stringify({
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
  });
}
