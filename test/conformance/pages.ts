/**
 * Pages in a real browser: a sound one is proven and fetches nothing; hostile texts stay texts; a byte changed anywhere is
 * said in red, or leaves what the browser has read the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listSessions } from '../../src/review/catalog.js';
import { collect } from '../../src/review/page/collect.js';
import { dataText, pageDocument } from '../../src/review/page/document.js';
import type { PageData } from '../../src/review/page/page-data.js';
import type { Only } from '../helpers/only.js';
import { pageFile } from '../review/page/bundle.js';
import { recordedPage, shown, withChunks } from '../review/page/recorded-page.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { memorySource, objectsOf, type RecordOptions, record } from '../transcript/recorded.js';
import { Browser } from './browser.js';
import { installed } from './installed.js';

/** Statements of somebody who would like the reader's browser to do something, or to show something else. */
const hostile = [
  '<img src=x onerror=alert(1)><script>alert(2)</script>',
  '</script><script>alert(3)</script>',
  '</style><svg onload=alert(4)>{{alert(5)}}',
  '"><a href="javascript:alert(6)" style="position:fixed;inset:0">PROVEN</a>',
  'DELETE FROM orders \u202e;1 = di EREHW \u2066\u200b\u00ad\ufeff',
  '\u0000\u001b[31m\r\nPROVEN\u2028\ud800',
];

/** Statements and why they were denied. @param first number of the first entry of them */
function denied(first: number): NonNullable<RecordOptions['extra']> {
  return hostile.flatMap((text, place): NonNullable<RecordOptions['extra']> => {
    const facts = [{ command: text, effects: [{ kind: 'delete', target: text }] }];
    return [
      [
        { k: 'statement', conn: 1, decision: 'deny', rule: text, facts },
        { sql: text, bind: [text, null] },
      ],
      [{ k: 'verdict', of: first + 2 * place, decision: 'deny', by: 'rule', rule: text }, { reason: text }],
    ];
  });
}

async function makePage(count: number): Promise<string> {
  const at = Date.UTC(2026, 10, 23, 12);
  const issuer = await testIssuer(undefined, 'k1', 'EdDSA');
  const login = await issuer.login('ada', { at });
  const session = record(login, { at: at + 1000, statements: count, extra: denied(2 + 2 * count) });
  const source = memorySource(objectsOf(session, at + 10_000));
  const keys = { keysOf: async () => [{ ...issuer.keys, origin: '<b onclick=alert(7)>test</b>' }] };
  const how = { source, keys, demands: { clientId }, now: at + 3_600_000 };
  const sessions = [];
  for await (const one of listSessions(source)) sessions.push(one);
  const { reports, ...collected } = await collect(sessions, how, async () => []);
  if (reports.some(({ verdict }) => verdict === 'invalid'))
    throw new Error(`the test's own session: ${JSON.stringify(reports[0]?.findings)}`);
  const data = {
    v: 1,
    madeAt: how.now,
    version: 'test',
    location: '<i>memory</i>',
    keeping: 'kept',
    demands: how.demands,
    ...collected,
  };
  return pageDocument({ script: pageFile('page.js'), style: pageFile('page.css'), data: dataText(data) });
}

/** @param pictures folder for screenshots, to be looked at. @returns how many trials failed */
export async function conformPages(chosen: Only, pictures: string | undefined): Promise<number> {
  const program = installed('chromium');
  if (program === undefined) {
    console.log('skipped: chromium is not installed');
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dbguard-pages-'));
  const browser = new Browser(program);
  const stage = new Stage(browser, folder, pictures);
  let failed = 0;
  try {
    await browser.begin();
    for (const [name, trial] of Object.entries(trials)) {
      if (!chosen(name)) continue;
      const wrong = await trial(stage);
      if (wrong.length > 0) failed++;
      console.log(`${wrong.length === 0 ? 'as promised' : 'WRONG'}  ${name}`);
      for (const one of wrong.slice(0, 10)) console.log(`    ${one}`);
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return failed;
}

class Stage {
  readonly browser: Browser;
  readonly #folder: string;
  readonly #pictures: string | undefined;
  #opened = 0;

  constructor(browser: Browser, folder: string, pictures: string | undefined) {
    this.browser = browser;
    this.#folder = folder;
    this.#pictures = pictures;
  }

  /** The class of what the page says of all it holds, once it has said it. */
  async verdictOf(html: string | Buffer): Promise<string> {
    const path = join(this.#folder, `${this.#opened++}.html`);
    writeFileSync(path, html);
    await this.browser.open(pathToFileURL(path).href);
    const settled = `new Promise((resolve) => { const end = Date.now() + 120000; const look = () => {
      const all = document.querySelector('.overall');
      if (document.readyState === 'complete' && all && !all.classList.contains('checking')) resolve(all.className);
      else if (document.readyState === 'complete' && !all && document.getElementById('unproven') && !globalThis.dbguardPage) resolve('not run');
      else if (Date.now() > end) resolve('never'); else setTimeout(look, 5); }; look(); })`;
    const verdict = await this.browser.evaluate<string>(settled);
    rmSync(path);
    return verdict ?? 'nothing';
  }

  async picture(name: string): Promise<void> {
    if (this.#pictures !== undefined) await this.browser.picture(join(this.#pictures, `${name}.png`));
  }

  async paper(name: string): Promise<void> {
    if (this.#pictures !== undefined) await this.browser.paper(join(this.#pictures, `${name}.pdf`));
  }
}

type Trial = (stage: Stage) => Promise<string[]>;

const trials: Readonly<Record<string, Trial>> = {
  'a sound page is read, and fetches nothing': async (stage) => {
    const { browser } = stage;
    browser.events.length = 0;
    const verdict = await stage.verdictOf(await makePage(200));
    await stage.picture('light');
    await browser.evaluate(`document.querySelector('.rows').focus()`);
    for (const key of ['d', 'd', 'd']) await browser.key(key);
    await stage.picture('denial');
    const selected = await browser.evaluate<string>(`document.querySelector('[aria-selected=true]')?.className ?? ''`);
    await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
    await stage.picture('dark');
    await stage.paper('print');
    await browser.send('Emulation.setEmulatedMedia', { media: '', features: [] });
    const asked = browser.events.flatMap(({ method, params }) =>
      method === 'Network.requestWillBeSent' ? [String((params.request as { url: string }).url)] : [],
    );
    return [
      ...(verdict === 'overall proven' ? [] : [`it is ${verdict}`]),
      ...(selected.includes('denied') ? [] : [`d goes to ${selected}`]),
      ...asked.filter((url) => !url.startsWith('file:')).map((url) => `it asks for ${url}`),
    ];
  },

  'hostile texts stay texts': async (stage) => {
    const { browser } = stage;
    browser.events.length = 0;
    await stage.verdictOf(await makePage(4));
    const rows = await browser.evaluate<number>(
      `document.querySelector('.rows').getAttribute('tabindex') === '0' ? document.querySelectorAll('.row').length : 0`,
    );
    await browser.evaluate(`document.querySelector('.rows').focus()`);
    const wrong: string[] = rows > 8 ? [] : [`${rows} rows`];
    for (let n = 0; n < rows; n++) {
      await browser.key('ArrowDown');
      const found = await browser.evaluate<string>(
        `[...document.querySelectorAll('img,svg:not(.strip),a,b,i,iframe,script:not(#data),[onerror],[onclick],[onload],[style*=fixed]')].map((e) => e.tagName).join()`,
      );
      if (found !== 'SCRIPT') wrong.push(`row ${n}: ${found}`);
      const hidden = await browser.evaluate<string>(
        String.raw`(document.body.innerText.match(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u0000\u001b]/g) ?? []).length`,
      );
      if (Number(hidden) > 0) wrong.push(`row ${n}: ${hidden} hidden characters are shown`);
    }
    await stage.picture('hostile');
    if (browser.events.some(({ method }) => method === 'Page.javascriptDialogOpening')) wrong.push('a script ran');
    return wrong;
  },

  'recordings open to the reader’s key, and a chunk that was changed is said in red': async (stage) => {
    const { browser } = stage;
    const made = await recordedPage();
    const script = pageFile('page-recorded.js');
    const style = pageFile('page.css');
    const open = async (
      data: PageData,
      key: string,
    ): Promise<{ [what in 'before' | 'after' | 'rows' | 'screen']: string }> => {
      const before = await stage.verdictOf(pageDocument({ script, style, data: dataText(data) }));
      const said = `document.querySelector('[data-recorded]')?.getAttribute('data-recorded')`;
      const holds = await browser.evaluate<string>(said);
      await browser.evaluate(
        `document.getElementById('reader-key').value = ${JSON.stringify(key.replaceAll('\n', ''))}; document.querySelector('.recorded form').requestSubmit()`,
      );
      await browser.evaluate(
        `new Promise((go) => { const look = () => (${said} !== '${holds}') ? go() : setTimeout(look, 20); look(); })`,
      );
      await browser.evaluate(`document.querySelector('.rows').focus()`);
      for (const key of ['Home', 'ArrowDown']) await browser.key(key);
      const rows = await browser.evaluate<string>(`document.querySelector('.answer')?.innerText ?? ''`);
      await browser.evaluate(`document.querySelector('.player')?.focus()`);
      await browser.key('End');
      await browser.evaluate(`new Promise((go) => setTimeout(go, 300))`);
      const screen = await browser.evaluate<string>(`document.querySelector('.screen')?.innerText ?? ''`);
      const after = await browser.evaluate<string>(`document.querySelector('.overall').className`);
      return { before, after, rows, screen };
    };
    const wrong: string[] = [];
    for (const key of [made.key, made.sshKey]) {
      const sound = await open(made.data, key);
      if (sound.before !== 'overall proven' || sound.after !== 'overall proven') wrong.push(JSON.stringify(sound));
      if (!sound.rows.includes(shown.value)) wrong.push(`of the results it shows ${sound.rows}`);
      if (!sound.screen.includes(shown.screen)) wrong.push(`of the screen it shows ${sound.screen}`);
    }
    await stage.picture('recordings');
    await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
    await stage.picture('recordings-dark');
    await browser.send('Emulation.setEmulatedMedia', { media: '', features: [] });
    await stage.paper('recordings-print');
    const kept = await browser.evaluate<number>(
      `document.getElementById('reader-key').value.length + localStorage.length`,
    );
    const swapped = await open(
      withChunks(made, ([a, b, ...rest]) => (a && b ? [{ ...b, key: a.key }, { ...a, key: b.key }, ...rest] : [])),
      made.key,
    );
    await stage.picture('recordings-changed');
    const isRed = swapped.before === 'overall invalid' && swapped.after === 'overall invalid';
    return [
      ...wrong,
      ...(kept === 0 ? [] : ['the key is still there']),
      ...(isRed && !swapped.rows.includes(shown.value) ? [] : [JSON.stringify(swapped)]),
    ];
  },

  'a byte changed anywhere is said in red': async (stage) => {
    const html = Buffer.from(await makePage(4));
    const text = html.toString('latin1');
    const wrong: string[] = [];
    const places = placesIn(text);
    for (const at of places) {
      const changed = Buffer.from(html);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const verdict = await stage.verdictOf(changed);
      if (verdict === 'overall invalid' || verdict === 'not run') continue;
      // a letter in </body>: the browser reads the same document
      if (!(await isSame(stage, html, changed)))
        wrong.push(
          `${verdict} with another byte at ${at} of ${places.length} places: ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 20))}`,
        );
    }
    await stage.picture('changed');
    return wrong;
  },

  'five thousand and a hundred thousand statements': async (stage) => {
    for (const count of [5000, 100_000]) {
      const html = await makePage(count);
      const begun = performance.now();
      const verdict = await stage.verdictOf(html);
      const took = performance.now() - begun;
      const search = await stage.browser.evaluate<number>(`new Promise((resolve) => { const from = performance.now();
        const input = document.getElementById('search'); input.value = 'select 4'; input.dispatchEvent(new Event('input', { bubbles: true }));
        const look = () => document.getElementById('count').value.includes(' of ') ? resolve(performance.now() - from) : setTimeout(look, 5); look(); })`);
      console.log(
        `    ${count} statements, ${(html.length / 1e6).toFixed(1)} MB: ${verdict} after ${Math.round(took)} ms, search ${Math.round(search)} ms`,
      );
      await stage.picture(`of-${count}`);
      if (verdict !== 'overall proven') return [`${count}: ${verdict}`];
    }
    return [];
  },
};

/** Whether a browser makes the same document of both, to the last node. */
async function isSame({ browser }: Stage, one: Buffer, other: Buffer): Promise<boolean> {
  const parsed = await Promise.all(
    [one, other].map((html) =>
      browser.evaluate<string>(`(() => {
        const bytes = Uint8Array.from(atob(${JSON.stringify(html.toString('base64'))}), (sign) => sign.charCodeAt(0));
        const page = new DOMParser().parseFromString(new TextDecoder().decode(bytes), 'text/html');
        return page.compatMode + page.documentElement.outerHTML;
      })()`),
    ),
  );
  return parsed[0] === parsed[1];
}

/** Some of each part, and more of what stands around them; another fifth of that each time. */
function placesIn(text: string): number[] {
  const places: number[] = [];
  const turn = Math.floor(Math.random() * 5);
  const parts = ['<style>', 'data-sha256', '<script>'].map((mark) => text.indexOf(mark));
  const ends = ['</style>', '</script>', '</script></body>'].map((mark, n) => text.indexOf(mark, parts[n]));
  for (let at = 0; at < text.length; at++) {
    const inside = parts.findIndex((begin, n) => at > begin + 90 && at < (ends[n] ?? 0));
    if (inside < 0 ? at % 5 === turn : at % 9973 === 0) places.push(at);
  }
  return places;
}
