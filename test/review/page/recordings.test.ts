/** Recordings in the page's own bundle: nothing is shown that the chain does not have, and what is missing is said as what it is. */
import t from 'tap';
import { dataText } from '../../../src/review/page/document.js';
import type { PageData } from '../../../src/review/page/page-data.js';
import { pageBundle } from './bundle.js';
import { recordedPage, shown, withChunks } from './recorded-page.js';

const page = pageBundle(undefined, 'page-recorded.js');
const made = await recordedPage();

async function read(data: PageData, key = made.key) {
  const parsed = page.parsePageData(dataText(data));
  const [session] = await page.verifyPage(parsed, {});
  if (session === undefined) throw new Error('no session');
  const open = key === '' ? undefined : await page.decryptionWith(page.readIdentities(key, 'the key'));
  const { answers, drawn, said } = await page.readRecordings(
    session.session,
    session.recordings,
    page.chunkSource(parsed),
    open,
  );
  const recordingFaults = page.recordingFaults({ said });
  const checked = { fault: undefined, reports: [session.report], recordingFaults, ownKeys: false };
  return {
    verdict: session.report.verdict,
    overall: page.overallOf(checked).verdict,
    holds: said.map(({ holds }) => holds),
    said: said.map(({ text }) => text).join('\n'),
    rows: JSON.stringify(answers.all.map(({ results }) => results.map(({ rows }) => rows))),
    drawn: JSON.stringify(drawn),
  };
}

t.test('with the key, of age or of SSH, everything is shown', async (t) => {
  for (const key of [made.key, made.sshKey, made.sshKey.replaceAll('\n', '')]) {
    const { verdict, overall, holds, said, rows, drawn } = await read(made.data, key);
    t.strictSame([verdict, overall], ['proven', 'proven']);
    t.strictSame([...holds], ['yes', 'yes'], said);
    t.match(rows, shown.value);
    t.match(drawn, shown.screen);
  }
});

t.test('without it, or with another, nothing is, and nothing is in the page', async (t) => {
  t.notMatch(made.text, shown.value);
  const other = await recordedPage();
  for (const key of ['', other.key, other.sshKey]) {
    const { verdict, overall, holds, rows, drawn } = await read(made.data, key);
    t.strictSame([verdict, overall], ['proven', 'proven']);
    t.strictSame([...holds], ['unknown', 'unknown']);
    t.notMatch(rows + drawn, /four thousand|drawn/);
  }
});

t.test('a chunk that was changed, swapped, repeated or taken out is said at the top, and not shown', async (t) => {
  const flipped = (gz: string): string => {
    const bytes = Buffer.from(gz, 'base64');
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  type Chunks = NonNullable<PageData['recordings']>;
  const tamperings: Readonly<Record<string, (chunks: Chunks) => Chunks>> = {
    changed: ([first, ...rest]) => (first && 'gz' in first ? [{ ...first, gz: flipped(first.gz) }, ...rest] : []),
    'of another stream': ([first, ...rest]) =>
      first ? [{ ...first, key: first.key.replace('results', 'terminal') }, ...rest] : [],
    cut: ([first, ...rest]) => (first && 'gz' in first ? [{ ...first, gz: first.gz.slice(0, 40) }, ...rest] : []),
    swapped: ([a, b, ...rest]) => (a && b ? [{ ...b, key: a.key }, { ...a, key: b.key }, ...rest] : []),
    repeated: ([a, b, ...rest]) => (a && b ? [{ ...b, key: a.key }, b, ...rest] : []),
    'taken out': ([, ...rest]) => rest,
  };
  for (const [name, change] of Object.entries(tamperings)) {
    const { verdict, overall, holds, rows } = await read(withChunks(made, change));
    t.equal(verdict, 'proven', 'the transcript is what it was');
    t.ok(holds.includes('no'), name);
    t.equal(overall, 'invalid', name);
    t.notMatch(rows, shown.value, name);
  }
});

t.test('what has expired is said, and is no fault', async (t) => {
  const expired = await recordedPage((key) => !key.includes('results-00000000'));
  const { verdict, overall, holds, said, drawn } = await read(expired.data, expired.key);
  t.strictSame([verdict, overall], ['proven', 'proven']);
  t.strictSame([...holds], ['yes', 'unknown', 'yes']);
  t.match(said, 'not in the bucket any more');
  t.match(drawn, shown.screen);
});
