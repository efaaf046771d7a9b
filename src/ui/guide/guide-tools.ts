/** What draws the guide, in one file so that it is loaded at once, and only when it is opened. */
export { render } from 'ink';
export { createElement } from 'react';
export { GuideScreen } from './GuideScreen.js';
