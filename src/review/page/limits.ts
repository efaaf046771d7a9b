/** What no page can find out by itself, in sentences; said whatever the verdict is. */
import type { PageData } from './page-data.js';

export function limitsOf({ madeAt, location, keeping, demands, version, recordings }: PageData): string[] {
  const made = `${new Date(madeAt).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
  const client = demands.clientId === undefined ? 'no client was named' : `the client ${demands.clientId}`;
  const issuers = [demands.issuer, ...(demands.workloadIssuers ?? [])].filter((one) => one !== undefined);
  return [
    `Who made this page. It was made on ${made} by dbguard ${version}; whoever hands it to you hands you the program that checks it as well. Where you do not trust them, run “dbguard transcripts verify” on the bucket.`,
    'That the issuer’s keys are the issuer’s. They came with this page: compare their thumbprints, or give the key set that you have yourself.',
    `That what was demanded is what you demand: ${client}; ${issuers.length === 0 ? 'any issuer' : issuers.join(', ')}.`,
    `What else ${location} holds, when it got these objects, and what became of them since: ${keepings[keeping]}, as whoever made this page saw it.`,
    recordings === undefined
      ? 'Texts that a reviewer has redacted: they are not in this page.'
      : 'Texts that a reviewer has redacted: they are not in the transcript that this page carries, and may stand in its recordings, out of which a redaction takes nothing.',
  ];
}

const keepings: Readonly<Record<PageData['keeping'], string>> = {
  kept: 'it keeps versions, and what was overwritten or deleted is said above',
  suspended: 'it keeps no versions any more, and an overwrite would not be seen',
  none: 'it keeps no versions, and an overwrite would not be seen',
  hidden: 'its versions could not be listed',
};
