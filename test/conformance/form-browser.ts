/** A person at the pages of an identity provider, without scripts: follows links, fills in forms, and presses the one button there is. */

export interface Person {
  readonly username: string;
  readonly password: string;
  /** Part of the address of a link on the login page: they are known elsewhere. */
  readonly elsewhere?: string;
}

interface Form {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Page {
  readonly url: string;
  readonly html: string;
  readonly forms: readonly Form[];
}

/** What a provider has for one login, and more. */
const mostPages = 20;

export class FormBrowser {
  /** Of each host, by path and name. */
  readonly #cookies = new Map<string, string>();
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  /** Logs in, and agrees to whatever is asked. What the last page says, in words; its addresses on the way are in `seen`. */
  async through(address: string, seen: string[] = []): Promise<string> {
    let page = await this.#load(address);
    let shown = false;
    for (let pages = 0; pages < mostPages; pages++) {
      seen.push(page.url);
      const link = this.#person.elsewhere && linkTo(page, this.#person.elsewhere);
      const form = page.forms.find(({ fields }) => Object.keys(fields).some((name) => known.has(name)));
      if (link && !shown) {
        page = await this.#load(link);
      } else if (form === undefined || (shown && 'password' in form.fields)) {
        return inWords(page.html);
      } else {
        if ('password' in form.fields) shown = true;
        const { username, password } = this.#person;
        const typed = 'password' in form.fields ? { username, password } : {};
        page = await this.#load(form.action, { ...form.fields, ...typed });
      }
    }
    throw new Error(`it does not end: ${inWords(page.html)}`);
  }

  async #load(address: string, fields?: Readonly<Record<string, string>>): Promise<Page> {
    let url = new URL(address);
    let init: RequestInit = fields ? { method: 'POST', body: new URLSearchParams(fields) } : {};
    for (let hops = 0; hops < mostPages; hops++) {
      const cookies = [...this.#cookies].filter(([name]) => name.startsWith(`${url.host} `) && isUnder(url, name));
      const cookie = cookies.map(([name, value]) => `${name.split(' ')[2]}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
      for (const set of response.headers.getSetCookie()) this.#keep(url, set);
      const location = response.headers.get('location');
      if (location === null) {
        const html = await response.text();
        return { url: url.href, html, forms: formsIn(html, url) };
      }
      url = new URL(location, url);
      init = {};
    }
    throw new Error('too many redirects');
  }

  #keep(url: URL, set: string): void {
    const [pair = '', ...attributes] = set.split(/;\s*/);
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
    const [name = '', ...value] = pair.split('=');
    const key = `${url.host} ${path} ${name}`;
    if (attributes.some((one) => /^max-age=0$/i.test(one))) this.#cookies.delete(key);
    else this.#cookies.set(key, value.join('='));
  }
}

/** Names in forms that a login has on its way: credentials, consent, a device's code, SAML by POST. */
const known: ReadonlySet<string> = new Set([
  ...['password', 'accept', 'device_user_code', 'user_code', 'SAMLRequest', 'SAMLResponse', 'approval'],
  ...['linkAccount', 'submitAction'],
]);

function isUnder(url: URL, cookie: string): boolean {
  return url.pathname.startsWith(cookie.split(' ')[1] ?? '/');
}

function formsIn(html: string, at: URL): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, head = '', body = '']) => {
    const inputs = [...body.matchAll(/<(?:input|button)\b[^>]*>/gis)].flatMap(([tag]) => {
      const name = attribute(tag, 'name');
      const refuses = name === 'cancel' || attribute(tag, 'value') === 'reject';
      return name === undefined || refuses ? [] : [[name, attribute(tag, 'value') ?? ''] as const];
    });
    return { action: new URL(attribute(head, 'action') ?? '', at).href, fields: Object.fromEntries(inputs) };
  });
}

function linkTo({ html, url }: Page, part: string): string | undefined {
  const links = [...html.matchAll(/<a\b[^>]*>/gi)].map(([tag]) => attribute(tag, 'href') ?? '');
  const found = links.find((href) => href.includes(part));
  return found && new URL(found, url).href;
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag);
  return found ? unescaped(found[1] ?? found[2] ?? '') : undefined;
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#39': "'", '#x27': "'" };
  return text.replace(/&(#?\w+);/g, (whole, name: string) => {
    const code = /^#x([0-9a-f]+)$/i.exec(name)?.[1];
    return entities[name] ?? (code === undefined ? whole : String.fromCodePoint(Number.parseInt(code, 16)));
  });
}

function inWords(html: string): string {
  const text = html.replace(/<(script|style)\b.*?<\/\1>/gis, ' ').replace(/<[^>]*>/g, ' ');
  return unescaped(text).replace(/\s+/g, ' ').trim().slice(0, 500);
}
