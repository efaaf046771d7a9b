import { test } from 'tap';
import { folded } from '../../../src/cli/print/text.js';

const narrow = { isTTY: true, columns: 40 };

test('on a terminal no word is cut, and nothing is lost', (t) => {
  const hint = '  Set identity.issuer and identity.client_id in dbguard.yaml (dbguard init writes one).';
  t.equal(
    folded(hint, narrow),
    '  Set identity.issuer and\n  identity.client_id in dbguard.yaml\n  (dbguard init writes one).',
  );
  t.equal(folded('short\n  lines stay', narrow), 'short\n  lines stay');
  t.equal(folded(`a ${'x'.repeat(60)} b`, narrow), `a\n  ${'x'.repeat(60)}\n  b`, 'a word may be wider');
  const styled = `\u001b[1m${'word '.repeat(8).trim()}\u001b[22m`;
  t.equal(folded(styled, narrow), styled, 'styles have no width');
  t.end();
});

test('elsewhere a line stays a line', (t) => {
  const line = 'word '.repeat(50);
  t.equal(folded(line, {}), line);
  t.equal(folded(line, { isTTY: true }), line);
  t.end();
});
