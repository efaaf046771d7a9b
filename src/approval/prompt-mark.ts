/**
 * Two words that every true prompt carries and the agent does not know: it can draw a prompt that looks like ours, but not
 * these. Made from the private login key, so they stay the same from one login to the next, and are kept nowhere else. They
 * are said before the child starts.
 */
import { sha256Bytes } from '../sha256.js';

const first =
  'amber ashen azure birch brass brisk calm cedar chalk clear coral crisp dusty eager early fair fern flint fresh frost giant glass gold grand green happy hazel honey ivory jade jolly keen lemon light lilac linen lucky lunar maple mellow merry mint misty moss navy noble ocean olive opal pearl plain proud quick quiet rapid royal ruby rusty sandy silver slate snowy solar vivid'.split(
    ' ',
  );
const second =
  'acorn anchor apple arrow badger banjo basil beacon bison bridge button candle canyon castle cello cherry comet copper crane dolphin eagle ember falcon feather fiddle forest fox garden ginger glacier harbor hawk heron island kettle lantern lark lemur lobster magpie marble meadow melon mirror otter owl panda pebble pepper piano pigeon pilot rabbit raven river robin rocket saddle salmon spruce thistle tiger walnut willow'.split(
    ' ',
  );

/** @param secret of the person; the agent must not have it */
export function promptMark(secret: string): string {
  const [one = 0, two = 0] = sha256Bytes(`dbguard prompt mark\0${secret}`);
  return `${first[one % first.length]} ${second[two % second.length]}`;
}
