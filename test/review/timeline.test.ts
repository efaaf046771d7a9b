/** What `transcripts show` says of a role that one statement took on. */
import t from 'tap';
import { EarlierEntries } from '../../src/review/earlier-entries.js';
import { timelineItem } from '../../src/review/timeline.js';
import type { Entry } from '../../src/transcript/entry.js';

function shown(k: string, fields: Record<string, unknown>, disclosed: Record<string, unknown> = {}) {
  const entry = { n: 2, t: 1_000_000, k, fields, c: {} } as unknown as Entry;
  return timelineItem(entry, disclosed, new EarlierEntries());
}

const grant = {
  of: 1,
  role: 'shop_writer',
  access: 'fix-orders',
  lacking: ['update public.orders', 'read public.later'],
};

t.test('a grant says the role, what the login lacks, by which entry, and why', (t) => {
  t.match(shown('grant', grant, { reason: 'ticket 4711' }), {
    of: 1,
    kind: 'grant',
    mood: 'waiting',
    title:
      'runs as shop_writer to update public.orders, read public.later, for this statement only, by access fix-orders: ticket 4711',
  });
  t.equal(
    shown('grant', { of: 1, role: 'shop_writer' }).title,
    'runs as shop_writer, for this statement only',
    'of what was taken out or never said, nothing',
  );
  t.end();
});

t.test('a time says which role, how long, and who said so', (t) => {
  const window = { event: 'open', access: 'fix-orders', role: 'shop_writer', forMs: 900_000, channel: 'terminal' };
  t.match(shown('window', window, { reason: 'INC-42' }), {
    title: 'statements run as shop_writer for 15m, by access fix-orders, said in terminal: INC-42',
    mood: 'waiting',
  });
  t.match(shown('window', { event: 'end', of: 7, why: 'time' }), { title: 'the time of #7 is over' });
  t.match(shown('window', { event: 'end', of: 7, why: 'person' }), { title: /over, as a person said$/ });
  t.match(shown('grant', { of: 1, role: 'shop_writer', window: 7 }), { title: /shop_writer, in the time of #7$/ });
  t.end();
});

t.test('an outcome says the role that the statement ran as', (t) => {
  t.equal(
    shown('outcome', { of: 1, tag: 'UPDATE 1', role: 'shop_writer', us: 1500 }).title,
    'UPDATE 1, as shop_writer, 1.5 ms',
  );
  t.equal(shown('outcome', { of: 1, tag: 'UPDATE 1', us: 1500 }).title, 'UPDATE 1, 1.5 ms');
  t.match(shown('outcome', { of: 1, how: 'failed', sqlstate: '23505', role: 'shop_writer' }), {
    title: /23505.*, as shop_writer$/,
    mood: 'bad',
  });
  t.end();
});
