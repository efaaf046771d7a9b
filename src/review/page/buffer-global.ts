/** Put in front of every module of the page's bundle. */
export { WebBuffer as Buffer } from './buffer-web.js';
