/**
 * `.env` files by the rules that dotenv libraries share (Node, Ruby, Python): NAME=value, `export`, three kinds of quotes,
 * comments, values over several lines, `${OTHER}` outside of single quotes.
 */

/** Those of one folder, the one that counts first. */
export const dotenvFiles = ['.env.development.local', '.env.local', '.env.development', '.env'] as const;

const line =
  /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*[=:][^\S\n]*(?:'((?:\\'|[^'])*)'[^\S\n]*(?:#[^\n]*)?|"((?:\\"|[^"])*)"[^\S\n]*(?:#[^\n]*)?|`((?:\\`|[^`])*)`[^\S\n]*(?:#[^\n]*)?|([^\n]*))$/gm;

/** @param outer what `${NAME}` means where the file does not say it before */
export function parseDotenv(
  text: string,
  outer: (name: string) => string | undefined = () => undefined,
): Map<string, string> {
  const values = new Map<string, string>();
  const expanded = (value: string): string =>
    value.replace(/\\\$|\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g, (whole, braced, otherwise, bare) => {
      if (whole === '\\$') return '$';
      const name: string = braced ?? bare;
      const said = values.get(name) ?? outer(name);
      return said === undefined || said === '' ? (otherwise ?? '') : said;
    });
  for (const [, name = '', single, double, back, plain] of text.replace(/\r\n?/g, '\n').matchAll(line)) {
    if (single !== undefined) values.set(name, single);
    else if (double !== undefined) values.set(name, expanded(double.replace(/\\n/g, '\n').replace(/\\"/g, '"')));
    else if (back !== undefined) values.set(name, back);
    else values.set(name, expanded((plain ?? '').replace(/(?:^|\s)#.*$/, '').trim()));
  }
  return values;
}
