/** What draws the browser, in one file so that it is loaded at once, and only when it is opened. */
export { render } from 'ink';
export { createElement } from 'react';
export { BrowserScreen } from './BrowserScreen.js';
