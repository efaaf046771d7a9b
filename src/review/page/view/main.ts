/**
 * The page: holds its own document against what dbguard writes, verifies what it carries, and shows both. Nothing is
 * called proven before all of it has been checked; whatever goes wrong on the way is said in red.
 */
import { messageOf } from '../../../errors.js';
import type { JsonWebKeySet } from '../../../identity/signed-claims.js';
import { matches, type Row, Rows, wordsOf } from '../../statement-rows.js';
import { knowsEd25519 } from '../ed25519-web.js';
import { overallOf } from '../overall.js';
import { type PageData, parsePageData } from '../page-data.js';
import { type VerifiedSession, verifyPage } from '../verify-page.js';
import { detailOf } from './detail.js';
import { breath, el, foreign } from './dom.js';
import { Filters } from './filters.js';
import { readOwnDocument } from './integrity.js';
import { RowList, rowElement } from './list.js';
import { pageLimits, sessionProof } from './proof.js';
import type { MakeRecorded, Recorded } from './recorded-port.js';
import { stripOf } from './strip.js';

export { WebBuffer } from '../buffer-web.js';
export { knowsEd25519 } from '../ed25519-web.js';
export { gunzipAtOnce } from '../gzip-web.js';
export { newSha256, sha256 } from '../sha256-web.js';
/** For the tests, which run this file without a document. */
export { parsePageData, verifyPage };

/** Milliseconds of verifying, between breaths. */
const BREATH = 40;
/** Rows of a printed page: some 200 sheets. */
const PRINTED = 10_000;

/** @param recorded shows what was recorded; a page without recordings goes without */
export function start(recorded?: MakeRecorded): void {
  if (typeof document === 'undefined') return;
  const script = document.currentScript?.textContent ?? '';
  const begin = () => open(script, recorded).catch(broken);
  document.addEventListener('DOMContentLoaded', begin);
}

async function open(script: string, recorded: MakeRecorded | undefined): Promise<void> {
  if (globalThis.crypto?.subtle === undefined)
    return notShown(
      'NOT CHECKED',
      'This browser gives this page no cryptography (it has to come from file:// or https://). Nothing is proven here',
    );
  const { data, fault } = await readOwnDocument(script);
  if (!(await knowsEd25519()))
    return notShown(
      'NOT CHECKED',
      'This browser cannot check Ed25519 signatures: Chrome and Edge can from 137 on, Firefox from 129, Safari from 17. Nothing is proven here',
    );
  const page = parsePageData(data);
  await new Page(page, fault, recorded).run();
}

/** Something failed that had to be checked: nothing of what was shown so far stays. */
function broken(error: unknown): void {
  notShown('CHANGED OR FORGED', messageOf(error));
}

function notShown(heading: string, why: string): void {
  const main = document.getElementById('page') ?? document.body;
  const more = '. Ask for the transcript and run: dbguard transcripts verify';
  main.replaceChildren(
    el('h1', {}, 'dbguard transcripts'),
    el('p', { class: 'overall invalid', role: 'alert' }, el('strong', {}, heading), ' ', foreign(why + more)),
  );
}

class Page {
  readonly #data: PageData;
  readonly #fault: string | undefined;
  readonly #overall = el('div', { class: 'overall checking', role: 'status' });
  readonly #proofs = el('div', { class: 'proofs' });
  readonly #limits = el('div');
  readonly #strip = el('div', { class: 'strip-holder' });
  readonly #detail = el('div', { class: 'detail-holder' }, detailOf(undefined));
  readonly #printed = el('div', { class: 'printed' });
  readonly #list: RowList;
  readonly #filters: Filters;
  readonly #recorded: Recorded | undefined;
  #rows = new Rows();
  #shown: readonly Row[] = [];
  #verified: readonly VerifiedSession[] = [];
  #ownKeys: JsonWebKeySet | undefined;
  #run = 0;

  constructor(data: PageData, fault: string | undefined, makeRecorded: MakeRecorded | undefined) {
    this.#data = data;
    this.#fault = fault;
    this.#recorded = makeRecorded?.(data, () => this.#moreIsKnown(), broken);
    this.#list = new RowList(
      (row) => this.#detail.replaceChildren(detailOf(row, row && this.#recorded?.of(row))),
      () => document.getElementById('detail-heading')?.focus(),
    );
    this.#filters = new Filters(
      data.sessions.map(({ sid }) => sid),
      () => this.#filter(),
      () => window.print(),
    );
  }

  async run(): Promise<void> {
    (document.getElementById('page') ?? document.body).replaceChildren(
      el('header', {}, el('h1', {}, 'dbguard transcripts'), this.#overall),
      this.#proofs,
      el(
        'section',
        { class: 'timeline', 'aria-labelledby': 'timeline-heading' },
        el('h2', { id: 'timeline-heading' }, 'What happened'),
        this.#filters.element,
        this.#strip,
        el('div', { class: 'panes' }, this.#list.element, this.#detail),
        this.#printed,
      ),
      ...(this.#recorded ? [this.#recorded.element] : []),
      this.#limits,
    );
    document.addEventListener('keydown', (event) => this.#key(event));
    window.addEventListener('beforeprint', () => this.#print());
    window.addEventListener('afterprint', () => this.#printed.replaceChildren());
    await this.#verify(undefined);
  }

  async #verify(ownKeys: JsonWebKeySet | undefined): Promise<void> {
    const run = ++this.#run;
    const rows = new Rows();
    this.#rows = rows;
    this.#verified = [];
    this.#shown = rows.all;
    this.#list.show(rows.all, this.#data.sessions.length > 1);
    this.#say('checking', 'CHECKING', 'nothing is proven yet');
    let since = performance.now();
    const verified = await verifyPage(this.#data, {
      ownKeys,
      onItem: async (item) => {
        rows.add(item);
        if (performance.now() - since < BREATH || run !== this.#run) return;
        this.#list.grown();
        this.#filters.counted(rows.all.length, rows.all.length);
        await breath();
        since = performance.now();
      },
    });
    if (run !== this.#run) return;
    this.#filters.offer(rows.all);
    this.#filter();
    this.#verified = verified;
    this.#ownKeys = ownKeys;
    this.#proofs.replaceChildren(...verified.map(sessionProof));
    await this.#recorded?.verified(verified, rows);
    if (run !== this.#run) return;
    this.#sayAll();
    this.#limits.replaceChildren(
      await pageLimits(this.#data, ownKeys !== undefined, (keys) => void this.#verify(keys).catch(broken)),
    );
    document.documentElement.setAttribute('data-checked', this.#overall.className);
  }

  /** Of recordings: of the row that is looked at, and maybe of all. */
  #moreIsKnown(): void {
    this.#list.again();
    if (this.#verified.length > 0) this.#sayAll();
  }

  #sayAll(): void {
    const { verdict, heading, text } = overallOf({
      fault: this.#fault,
      reports: this.#verified.map(({ report }) => report),
      recordingFaults: this.#recorded?.faults ?? [],
      ownKeys: this.#ownKeys !== undefined,
    });
    this.#say(verdict, heading, text);
  }

  #say(verdict: string, heading: string, text: string): void {
    this.#overall.className = `overall ${verdict}`;
    this.#overall.setAttribute('role', verdict === 'invalid' ? 'alert' : 'status');
    this.#overall.replaceChildren(el('strong', {}, heading), ' ', foreign(text));
  }

  #filter(): void {
    const filter = this.#filters.value;
    const words = wordsOf(filter.text);
    const { all } = this.#rows;
    this.#shown = all.filter((row) => matches(filter, words, row));
    this.#list.show(this.#shown, this.#data.sessions.length > 1);
    this.#filters.counted(this.#shown.length, all.length);
    const strip = stripOf(this.#shown, (place) => this.#list.select(place));
    this.#strip.replaceChildren(...(strip ? [strip] : []));
  }

  /** Lists show what is in sight; paper has no scroll bar. */
  #print(): void {
    const several = this.#data.sessions.length > 1;
    const rows = this.#shown.slice(0, PRINTED);
    const all = this.#rows.all.length;
    const left = this.#shown.length > rows.length ? ' Search or filter for the others.' : '';
    const count =
      rows.length === all
        ? `All ${all} rows.`
        : `Printed are ${rows.length} of ${all} rows, ${this.#filters.words}.${left}`;
    this.#printed.replaceChildren(
      el('p', {}, foreign(count)),
      ...rows.map((row) => printedRow(row, several, this.#recorded?.of(row))),
    );
  }

  #key(event: KeyboardEvent): void {
    const { target, key } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (target instanceof HTMLTextAreaElement) return;
    if (key === '/' && !typing) this.#filters.focus();
    else if (key === 'Escape') this.#list.element.focus();
    else return;
    event.preventDefault();
  }
}

function printedRow(row: Row, several: boolean, recorded: HTMLElement | undefined): HTMLElement {
  const { text, bind } = row.main.item;
  return el(
    'article',
    { class: text === undefined ? undefined : 'text' },
    rowElement(row, several),
    text !== undefined && el('pre', {}, foreign(text)),
    bind !== undefined && el('pre', {}, foreign(bind)),
    ...row.parts.map(({ item }) => el('p', {}, `→ ${item.kind}: `, el('bdi', {}, foreign(item.title)))),
    recorded,
  );
}
