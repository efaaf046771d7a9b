/** What `?` shows. */
import type { Passage } from '../../ui/review/passages.js';

const of = (label: string, text: string): Passage => ({ label, text, tone: 'plain' });
const head = (text: string): Passage => ({ text, tone: 'strong' });

export const helpPassages: readonly Passage[] = [
  head('Everywhere'),
  of('↑ ↓ j k', 'move or scroll; PgUp, PgDn, Home, End, g and G go further'),
  of('enter →', 'open what is chosen'),
  of('q esc ←', 'back; in the list q leaves, and so does Ctrl-C anywhere'),
  of('/', 'search: in the list by person, connection, agent or id; in a session by text'),
  of('v', 'verify, as “dbguard transcripts verify” does; opening a session does it as well'),
  of('r', 'replay it; with --identity also what was recorded encrypted'),
  { text: '', tone: 'plain' },
  head('Sessions'),
  of('f F', 'only those with denials, questions, no seal, something odd, or no proof'),
  of('p', 'write its page: one HTML file that verifies itself, into this folder'),
  of('V R', 'verify all of them (esc stops); list the bucket again'),
  of(
    '· ✓ ~ ? ✗',
    'not verified yet, proven, whole but of nobody known, not all proven, changed or forged: said by the verifier, here and now, of the objects as they lie in the bucket',
  ),
  { text: '', tone: 'plain' },
  head('One session'),
  of('f F e E', 'only statements, questions, denials, failures; only one kind of effect'),
  of('d D', 'the next denial, and the one before'),
  of('i', 'what is proven of it, and what not'),
  of('enter', 'of a statement: all of it, and what came back where it was recorded; --identity takes your key'),
  of('x', 'redact the texts of a statement: asks why, and once more; signed with your login'),
  of('n p', 'of a statement: the next one, and the one before'),
  { text: '', tone: 'plain' },
  {
    text: 'What the list says of a session is what the session says of itself; what is proven is said by its mark.',
    tone: 'quiet',
  },
];
