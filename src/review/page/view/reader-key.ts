/**
 * The reader's private key: typed, chosen as a file or dropped on the page. It stays in this page's memory, and what was
 * typed leaves the field at once.
 */
import { DbguardError, messageOf } from '../../../errors.js';
import { decryptionWith } from '../../../transcript/age/age.js';
import { type AgeIdentity, readIdentities } from '../../../transcript/age/identities.js';
import type { OpenSealed } from '../../recordings.js';
import { el, foreign } from './dom.js';

export class ReaderKey {
  readonly element: HTMLElement;
  readonly #said = el('p', { role: 'status' });
  readonly #identities: AgeIdentity[] = [];
  readonly #onOpen: (open: OpenSealed) => void;

  /** @param onOpen gets what opens with every key that was given so far */
  constructor(onOpen: (open: OpenSealed) => void) {
    this.#onOpen = onOpen;
    const key = el('input', { type: 'password', id: 'reader-key', autocomplete: 'off', spellcheck: 'false', size: 40 });
    const file = el('input', { type: 'file', id: 'reader-key-file' });
    const form = el(
      'form',
      { class: 'filters', 'aria-label': 'Your key' },
      el('label', { for: 'reader-key' }, 'Your private key, of age or ssh-ed25519'),
      key,
      el('button', { type: 'submit' }, 'Open'),
      el('label', { for: 'reader-key-file' }, 'or its file, here or dropped on this page'),
      file,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = key.value;
      key.value = '';
      void this.#take(text, 'What you typed');
    });
    file.addEventListener('change', async () => {
      const [chosen] = file.files ?? [];
      const text = await chosen?.text();
      file.value = '';
      if (chosen && text !== undefined) await this.#take(text, chosen.name);
    });
    document.addEventListener('dragover', (event) => {
      if (!isFileField(event)) event.preventDefault();
    });
    document.addEventListener('drop', async (event) => {
      if (isFileField(event)) return;
      event.preventDefault();
      const dropped = event.dataTransfer?.files[0];
      if (dropped) await this.#take(await dropped.text(), dropped.name);
    });
    this.element = el('div', { class: 'reader-key' }, form, this.#said);
  }

  async #take(text: string, name: string): Promise<void> {
    try {
      this.#identities.push(...readIdentities(text, name));
      const open = await decryptionWith(this.#identities);
      this.#said.replaceChildren('The key is in this page’s memory alone, and gone when it is closed.');
      this.#onOpen(open);
    } catch (error) {
      const hint = error instanceof DbguardError ? ` ${error.hint ?? ''}` : '';
      this.#said.replaceChildren(foreign(`${messageOf(error)}.${hint}`));
    }
  }
}

/** A field for files takes what is dropped on it by itself. */
function isFileField({ target }: Event): boolean {
  return target instanceof HTMLInputElement && target.type === 'file';
}
