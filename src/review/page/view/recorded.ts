/**
 * Recordings in the page: what became of each chunk, the results below their statements, the screen as a film. Nothing is shown
 * before it has been held against the chain.
 */

import { readRecordings, recordingFaults, type SessionRecordings } from '../../read-recordings.js';
import type { OpenSealed } from '../../recordings.js';
import type { Row, Rows } from '../../statement-rows.js';
import { chunkSource, type PageData } from '../page-data.js';
import type { VerifiedSession } from '../verify-page.js';
import { answerOf } from './answer.js';
import { el, foreign } from './dom.js';
import { Player } from './player.js';
import { ReaderKey } from './reader-key.js';
import type { MakeRecorded, Recorded } from './recorded-port.js';

type Said = SessionRecordings['said'][number];
const marks = { yes: '✓', no: '✗', unknown: '?' } as const;

export const recorded: MakeRecorded = (data, changed, failed) => new RecordedView(data, changed, failed);

class RecordedView implements Recorded {
  readonly element: HTMLElement;
  readonly #data: PageData;
  readonly #changed: () => void;
  readonly #said = el('div', { role: 'status', class: 'lines' }, 'Nothing of it is checked yet.');
  readonly #players = el('div');
  readonly #key: HTMLElement;
  #sessions: readonly VerifiedSession[] = [];
  #rows: Rows | undefined;
  #open: OpenSealed | undefined;
  #read: readonly SessionRecordings[] = [];
  #run = 0;

  constructor(data: PageData, changed: () => void, failed: (error: unknown) => void) {
    this.#data = data;
    this.#changed = changed;
    const key = new ReaderKey((open) => {
      this.#open = open;
      this.#readAll().catch(failed);
    });
    this.#key = key.element;
    this.element = el(
      'section',
      { class: 'recorded', 'aria-labelledby': 'recorded-heading' },
      el('h2', { id: 'recorded-heading' }, 'What was recorded'),
      this.#said,
      key.element,
      this.#players,
    );
  }

  get faults(): readonly string[] {
    return recordingFaults({ said: this.#saidOfAll });
  }

  of(row: Row): HTMLElement | undefined {
    const answer = row.kind === 'statement' ? this.#read[row.session]?.answers.of(row.n) : undefined;
    return answer && answerOf(answer);
  }

  async verified(sessions: readonly VerifiedSession[], rows: Rows): Promise<void> {
    this.#sessions = sessions;
    this.#rows = rows;
    // nobody is asked for a key that nothing needs
    if (!sessions.some(({ recordings }) => recordings.some(({ recipients }) => recipients !== undefined)))
      this.#key.remove();
    await this.#readAll();
  }

  get #saidOfAll(): readonly Said[] {
    return this.#read.flatMap(({ said }, session) =>
      said.map(({ text, holds }) => ({ text: `${this.#nameOf(session)}${text}`, holds })),
    );
  }

  async #readAll(): Promise<void> {
    const run = ++this.#run;
    const read: SessionRecordings[] = [];
    const source = chunkSource(this.#data);
    for (const { session, recordings } of this.#sessions)
      read.push(await readRecordings(session, recordings, source, this.#open));
    // a key that was given meanwhile has begun anew
    if (run !== this.#run) return;
    this.#read = read;
    const said = this.#saidOfAll;
    this.#said.className = this.faults.length > 0 ? 'lines findings invalid' : 'lines';
    this.#said.setAttribute('data-recorded', said.map(({ holds }) => holds).join(' '));
    this.#said.replaceChildren(...(said.length === 0 ? [el('p', {}, 'Nothing was recorded.')] : said.map(sentence)));
    this.#players.replaceChildren(...read.flatMap(({ drawn }, session) => this.#player(session, drawn)));
    this.#changed();
  }

  #player(session: number, drawn: readonly unknown[]): HTMLElement[] {
    if (drawn.length === 0) return [];
    const rows = (this.#rows?.all ?? []).filter((row) => row.session === session);
    return [
      new Player(rows, drawn, this.#nameOf(session)).element,
      el('p', { class: 'on-paper' }, `${this.#nameOf(session)}the screen was recorded: it plays in the page alone.`),
    ];
  }

  /** Of a page with one session there is nothing to tell apart. */
  #nameOf(session: number): string {
    return this.#sessions.length > 1 ? `session ${session + 1}, ` : '';
  }
}

function sentence({ text, holds }: Said): HTMLElement {
  const severity = { yes: '', no: 'failure', unknown: 'warning' }[holds];
  return el(
    'p',
    { class: `${holds} ${severity}` },
    el('span', { class: 'mark' }, `${marks[holds]} `),
    holds === 'no' && el('strong', {}, 'CHANGED '),
    foreign(text),
  );
}
