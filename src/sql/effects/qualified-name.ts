/** Names inside string literals, as regclass and nextval() read them: `public."Order"`. */
export function parseQualifiedName(text: string): { readonly schema?: string; readonly name: string } {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".\s]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').toLowerCase() : quoted.replaceAll('""', '"'),
  );
  const name = parts.at(-1) ?? text;
  const schema = parts.at(-2);
  return schema === undefined ? { name } : { schema, name };
}
