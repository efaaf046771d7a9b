/** What draws the prompt, in one file so that it is loaded at once, and only when something is asked. */
export { render } from 'ink';
export { createElement } from 'react';
export { ApprovalPrompt } from './ApprovalPrompt.js';
