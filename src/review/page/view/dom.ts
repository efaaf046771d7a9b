/**
 * Elements with texts. Whatever stands in a transcript comes into the document here, as text and in no other way; names of
 * elements and attributes are this page's own.
 */
import { sanitise } from '../../../untrusted-text.js';

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
export type Child = Node | string | undefined | false;

export function isChild(child: Child): child is Node | string {
  return child !== undefined && child !== false;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter(isChild));
  return element;
}

/** A stranger's text: what would not be seen, or would turn the reading order, is shown as its code point. */
export function foreign(text: string): Text {
  return document.createTextNode(sanitise(text).text);
}

/** Its warnings, as the approval prompt has them. */
export function tricksIn(text: string): readonly string[] {
  return sanitise(text).warnings.map((warning) => warning.replace('draw on your terminal', 'draw on a terminal'));
}

export function time(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an impossible time' : date.toISOString().replace('T', ' ').slice(0, 23);
}

/** Lets the browser draw and answer. */
export function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
