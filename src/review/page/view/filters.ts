/** Search and filters over the rows; as data, for the list. */
import { effectsIn, type Filter, type Row } from '../../statement-rows.js';
import { el, foreign } from './dom.js';

const standings: readonly (readonly [Filter['standing'], string])[] = [
  ['any', 'everything'],
  ['statements', 'statements'],
  ['asked', 'asked about'],
  ['denied', 'denied'],
  ['failed', 'failed'],
  ['allowed', 'allowed by a rule'],
];

export class Filters {
  readonly element: HTMLElement;
  readonly #text = el('input', { type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false' });
  readonly #standing = el(
    'select',
    { id: 'standing' },
    ...standings.map(([value, words]) => el('option', { value }, words)),
  );
  readonly #session = el('select', { id: 'session' }, el('option', { value: '' }, 'all'));
  readonly #connection = el('select', { id: 'connection' }, el('option', { value: '' }, 'all'));
  readonly #effect = el('select', { id: 'effect' }, el('option', { value: '' }, 'any'));
  readonly #count = el('output', {
    ...{ id: 'count', for: 'search standing effect session connection', 'aria-live': 'polite' },
  });
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sids: readonly string[], onChange: () => void, onPrint: () => void) {
    sids.forEach((sid, place) => {
      this.#session.append(el('option', { value: place }, `${place + 1}: `, foreign(sid)));
    });
    const print = el('button', { type: 'button' }, 'Print');
    print.addEventListener('click', onPrint);
    this.element = el(
      'form',
      { class: 'filters', role: 'search', 'aria-label': 'Timeline' },
      el('label', { for: 'search' }, 'Search'),
      this.#text,
      el('label', { for: 'standing' }, 'Show'),
      this.#standing,
      el('label', { for: 'effect' }, 'Effect'),
      this.#effect,
      ...(sids.length > 1 ? [el('label', { for: 'session' }, 'Session'), this.#session] : []),
      el('label', { for: 'connection' }, 'Connection'),
      this.#connection,
      this.#count,
      print,
    );
    this.element.addEventListener('submit', (event) => event.preventDefault());
    this.element.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(onChange, 120);
    });
  }

  get value(): Filter {
    const [session, connection] = [this.#session.value, this.#connection.value];
    return {
      text: this.#text.value,
      standing: (this.#standing.value || 'any') as Filter['standing'],
      ...(this.#effect.value === '' ? {} : { effect: this.#effect.value }),
      ...(session === '' ? {} : { session: Number(session) }),
      ...(connection === '' ? {} : { connection: Number(connection) }),
    };
  }

  /** What is shown, for paper. */
  get words(): string {
    const chosen = (select: HTMLSelectElement): string => select.selectedOptions[0]?.textContent ?? '';
    const said = [
      `those of “${chosen(this.#standing)}”`,
      this.#text.value === '' ? '' : `with “${this.#text.value}”`,
      this.#effect.value === '' ? '' : `with the effect “${chosen(this.#effect)}”`,
      this.#session.value === '' ? '' : `of session ${chosen(this.#session)}`,
      this.#connection.value === '' ? '' : `of connection ${chosen(this.#connection)}`,
    ];
    return said.filter((one) => one !== '').join(' ');
  }

  focus(): void {
    this.#text.focus();
    this.#text.select();
  }

  /** Which connections and effects there are is known at the end. */
  offer(rows: readonly Row[]): void {
    // a stranger's words: any transcript may be in the page
    const effects = effectsIn(rows).slice(0, 100);
    const effect = this.#effect.value;
    this.#effect.replaceChildren(
      el('option', { value: '' }, 'any'),
      ...effects.map((value) => el('option', { value }, foreign(value))),
    );
    this.#effect.value = effect;
    const numbers = new Set(rows.flatMap(({ connection }) => (connection === undefined ? [] : [connection])));
    const chosen = this.#connection.value;
    const options = [...numbers].sort((a, b) => a - b).slice(0, 500);
    this.#connection.replaceChildren(
      el('option', { value: '' }, 'all'),
      ...options.map((value) => el('option', { value }, `[${value}]`)),
    );
    this.#connection.value = chosen;
  }

  counted(shown: number, all: number): void {
    this.#count.value = shown === all ? `${all} rows` : `${shown} of ${all} rows`;
  }
}
