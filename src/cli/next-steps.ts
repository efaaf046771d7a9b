/** What to do after an error that does not say so itself: nobody is left with a sentence and no way on. */
import type { ErrorCode } from '../errors.js';

/** @param command whose help to see: `transcripts verify`; empty where none was found */
export function nextStep(code: ErrorCode, command: string): string {
  return code === 'usage' ? `See dbguard ${command === '' ? '' : `${command} `}--help.` : steps[code];
}

const lint = '"dbguard policy lint" checks the files, "dbguard doctor" what they lead to.';
const provider = '"dbguard doctor" looks at the provider; "dbguard login" logs in anew.';
const database = '"dbguard doctor" looks at the database.';
const bucket = '"dbguard transcripts check-bucket" looks at the bucket.';
const sessions = '"dbguard transcripts list" has what there is, "dbguard transcripts verify ID" what holds of it.';
const room = 'Make room there, or write to another place.';

const steps: Readonly<Record<Exclude<ErrorCode, 'usage'>, string>> = {
  'config-missing': 'Write a file with "dbguard init", or name one with --config.',
  'config-invalid': lint,
  'not-trusted': 'Read the file. If it is right, say so once: dbguard trust.',
  'connection-unknown': lint,
  'policy-invalid': lint,
  'login-required': 'Run: dbguard login',
  'login-expired': 'Run: dbguard login',
  'login-failed': provider,
  'identity-insufficient': 'Log in with stronger evidence: dbguard login --browser',
  'issuer-key-unknown': provider,
  'token-store':
    '"dbguard doctor" looks at the keychain and the logins; DBGUARD_TOKEN_STORE=file does without a keychain.',
  'upstream-unreachable': database,
  'upstream-auth': database,
  'upstream-tls': database,
  'upstream-protocol': database,
  'listen-failed': 'Choose another address, or stop the program that uses this one.',
  'protocol-violation': 'The client sent what is no PostgreSQL protocol: check what connects there.',
  'limit-exceeded': 'Wait for what is under way, and try again.',
  'journal-unwritable': room,
  'recording-unwritable': room,
  'proxy-refused': 'Ask whoever keeps the network or the proxy to let it through.',
  'bucket-unreachable': bucket,
  'bucket-unsuitable': bucket,
  'bucket-conflict': bucket,
  'transcript-unknown': sessions,
  'transcript-invalid': sessions,
  'approval-unknown': '"dbguard approvals" lists what waits.',
  'child-not-found': 'Check the name and PATH.',
  'child-failed': 'Start it by hand to see what it says.',
  'output-failed': room,
  'part-missing': 'Install it anew: npm install --global dbguard',
  denied: '"dbguard explain SQL" says which rule decides.',
  internal: 'This is a bug in dbguard. Run again with DBGUARD_DEBUG=1 for details to report.',
};
