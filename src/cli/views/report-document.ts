/** A report as a document: Markdown (CommonMark) or one HTML file. Texts in it are a stranger's, and stay texts. */
import { shown } from '../print/untrusted-text.js';

export type Block =
  | { readonly kind: 'title'; readonly text: string }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] };

export const documentFormats = ['markdown', 'html'] as const;
export type DocumentFormat = (typeof documentFormats)[number];

export function documentOf(blocks: readonly Block[], format: DocumentFormat): string {
  return format === 'html' ? html(blocks) : `${blocks.map(markdownBlock).join('\n\n')}\n`;
}

function markdownBlock(block: Block): string {
  if (block.kind === 'title') return `# ${markdown(block.text)}`;
  if (block.kind === 'heading') return `## ${markdown(block.text)}`;
  if (block.kind === 'text') return markdown(block.text);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = block.rows.map((row) => line(row.map((cell) => markdown(cellText(cell)))));
  return [line(block.columns), line(block.columns.map(() => '---')), ...rows].join('\n');
}

/** What CommonMark and GitHub read as more than text: marks, links, and names and addresses that become links by themselves. */
function markdown(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]#!|<>~&@$^]/g, (mark) => (mark === '<' ? '&lt;' : mark === '&' ? '&amp;' : `\\${mark}`))
    .replace(/:\/\//g, ':\u2060//')
    .replace(/\bwww\./gi, (name) => `${name.slice(0, -1)}\u2060.`);
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function oneLine(text: string): string {
  return shown(text).replace(/\s*\n\s*/g, ' ');
}

const style = `body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8885}
td{overflow-wrap:anywhere}h2{margin-top:2rem;font-size:1.1rem}`;

function html(blocks: readonly Block[]): string {
  const title = blocks.find(({ kind }) => kind === 'title');
  const name = title !== undefined && 'text' in title ? title.text : '';
  const head = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escaped(name)}</title><style>${style}</style>`;
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body>\n${blocks.map(htmlBlock).join('\n')}\n</body></html>\n`;
}

const tags = { title: 'h1', heading: 'h2', text: 'p' } as const;

function htmlBlock(block: Block): string {
  if (block.kind !== 'table') return `<${tags[block.kind]}>${escaped(block.text)}</${tags[block.kind]}>`;
  const head = block.columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const rows = block.rows.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cellText(cell))}</td>`).join('')}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function escaped(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
