/**
 * Recordings in the page: the reader's age key is typed or dropped in, opens what it opens, and is kept nowhere but in this
 * page's memory. Nothing is shown before it has been held against the chain.
 */
import { Decrypter } from 'age-encryption';
import type { ShownAnswer, ShownResult } from '../../recorded-results.js';
import type { OpenSealed } from '../../recordings.js';
import type { Row, Rows } from '../../statement-rows.js';
import type { PageData } from '../page-data.js';
import { readRecordings, type SessionRecordings } from '../read-recordings.js';
import type { VerifiedSession } from '../verify-page.js';
import { type Child, el, foreign } from './dom.js';
import { Player } from './player.js';
import type { Recorded } from './recorded-port.js';

const AGE_KEY = /AGE-SECRET-KEY-1[0-9A-Z]+/gi;
/** Rows of one result in the document. */
const MOST_ROWS = 1000;
const errors: ReadonlySet<string> = new Set(['ERROR', 'FATAL', 'PANIC']);
const marks = { yes: '✓', no: '✗', unknown: '?' } as const;

export function recorded(data: PageData, changed: () => void): Recorded {
  return new RecordedView(data, changed);
}

class RecordedView implements Recorded {
  readonly element: HTMLElement;
  readonly #data: PageData;
  readonly #changed: () => void;
  readonly #said = el('div', { role: 'status', class: 'lines' }, 'Nothing of it is checked yet.');
  readonly #players = el('div');
  readonly #hint = el('p', { role: 'status' });
  #sessions: readonly VerifiedSession[] = [];
  #rows: Rows | undefined;
  #open: OpenSealed | undefined;
  #read: readonly SessionRecordings[] = [];

  constructor(data: PageData, changed: () => void) {
    this.#data = data;
    this.#changed = changed;
    this.element = el(
      'section',
      { class: 'recorded', 'aria-labelledby': 'recorded-heading' },
      el('h2', { id: 'recorded-heading' }, 'What was recorded'),
      this.#said,
      this.#keyForm(),
      this.#hint,
      this.#players,
    );
  }

  of(row: Row): HTMLElement | undefined {
    const answer = row.kind === 'statement' ? this.#read[row.session]?.answers.of(row.n) : undefined;
    return answer && answerOf(answer);
  }

  async verified(sessions: readonly VerifiedSession[], rows: Rows): Promise<void> {
    this.#sessions = sessions;
    this.#rows = rows;
    await this.#readAll();
  }

  #keyForm(): HTMLElement {
    const key = el('input', { type: 'password', id: 'age-key', autocomplete: 'off', spellcheck: 'false', size: 40 });
    const file = el('input', { type: 'file', id: 'age-file' });
    const form = el(
      'form',
      { class: 'filters', 'aria-label': 'Your key' },
      el('label', { for: 'age-key' }, 'Your age key (AGE-SECRET-KEY-1…)'),
      key,
      el('button', { type: 'submit' }, 'Open'),
      el('label', { for: 'age-file' }, 'or its file, here or dropped on this page'),
      file,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = key.value;
      key.value = '';
      void this.#take(text);
    });
    file.addEventListener('change', async () => {
      const text = (await file.files?.[0]?.text()) ?? '';
      file.value = '';
      await this.#take(text);
    });
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', async (event) => {
      event.preventDefault();
      await this.#take((await event.dataTransfer?.files[0]?.text()) ?? '');
    });
    return form;
  }

  async #take(text: string): Promise<void> {
    const decrypter = new Decrypter();
    let count = 0;
    for (const [key] of text.matchAll(AGE_KEY)) {
      try {
        decrypter.addIdentity(key.toUpperCase());
        count++;
      } catch {
        // said below
      }
    }
    if (count === 0) {
      this.#hint.replaceChildren(
        'That is no age key: it begins with AGE-SECRET-KEY-1. With an SSH key use: dbguard transcripts replay --identity',
      );
      return;
    }
    this.#hint.replaceChildren('The key is in this page’s memory alone, and gone when it is closed.');
    this.#open = (bytes) => decrypter.decrypt(bytes);
    await this.#readAll();
  }

  async #readAll(): Promise<void> {
    const read: SessionRecordings[] = [];
    for (const session of this.#sessions) read.push(await readRecordings(this.#data, session, this.#open));
    this.#read = read;
    const said = read.flatMap((one) => one.said);
    this.#said.className = said.some(({ holds }) => holds === 'no') ? 'lines findings invalid' : 'lines';
    this.#said.setAttribute('data-recorded', said.map(({ holds }) => holds).join(' '));
    this.#said.replaceChildren(...(said.length === 0 ? [el('p', {}, 'Nothing was recorded.')] : said.map(sentence)));
    const all = this.#rows?.all ?? [];
    this.#players.replaceChildren(
      ...read.flatMap(({ drawn }, session) =>
        drawn.length === 0
          ? []
          : [
              new Player(
                all.filter((row) => row.session === session),
                drawn,
              ).element,
            ],
      ),
    );
    this.#changed();
  }
}

function sentence({ text, holds }: SessionRecordings['said'][number]): HTMLElement {
  const severity = { yes: '', no: 'failure', unknown: 'warning' }[holds];
  const heading = holds === 'no' ? el('strong', {}, 'CHANGED ') : false;
  return el(
    'p',
    { class: `${holds} ${severity}` },
    el('span', { class: 'mark' }, `${marks[holds]} `),
    heading,
    foreign(text),
  );
}

function answerOf(answer: ShownAnswer): HTMLElement {
  const parts: Child[] = [
    el('h3', {}, 'What came back, as it was recorded'),
    ...answer.results.map(resultOf),
    ...answer.messages.map(({ severity, code, message, detail, hint }) =>
      el(
        'p',
        { class: `said ${errors.has(severity) ? 'bad' : 'waiting'}` },
        el('bdi', {}, foreign([`${severity} ${code}: ${message}`, detail, hint].filter(Boolean).join('\n'))),
      ),
    ),
    answer.cut !== undefined &&
      el(
        'p',
        { class: 'dim' },
        answer.cut === 'rows' ? 'max_rows left out the rest.' : 'Their size left out the rest.',
      ),
  ];
  return el('article', { class: 'answer' }, ...parts);
}

function resultOf({ columns, rows, copied }: ShownResult): HTMLElement {
  if (copied.length > 0) return el('pre', { tabindex: 0 }, foreign(copied.slice(0, MOST_ROWS).join('')));
  const more = rows.length - MOST_ROWS;
  const table = el(
    'table',
    {},
    columns &&
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...columns.map(({ name, type }) =>
            el('th', { scope: 'col' }, foreign(name), el('small', {}, ' ', foreign(type))),
          ),
        ),
      ),
    el(
      'tbody',
      {},
      ...rows
        .slice(0, MOST_ROWS)
        .map((row) =>
          el(
            'tr',
            {},
            ...row.map((cell) =>
              cell === null ? el('td', { class: 'dim' }, 'NULL') : el('td', {}, el('bdi', {}, foreign(cell))),
            ),
          ),
        ),
    ),
  );
  const count = el(
    'p',
    { class: 'dim' },
    `${rows.length} ${rows.length === 1 ? 'row' : 'rows'} recorded${more > 0 ? `, ${more} of them not shown` : ''}`,
  );
  return el('div', { class: 'result', tabindex: 0 }, table, count);
}
