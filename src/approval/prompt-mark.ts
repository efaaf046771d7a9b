/**
 * Words that every true prompt carries and the agent does not know: it can draw a prompt that looks like ours, but not
 * these. The person chooses them (`dbguard mark`), and they are kept with the login; until then two words are made from
 * the private login key, so that there are some from the first run on.
 */
import type { Login } from '../identity/identity.js';
import { sha256Bytes } from '../sha256.js';
import { sanitise } from '../untrusted-text.js';

export interface PromptMark {
  readonly words: string;
  /** By the person, who knows them by heart: they are not said when a run starts. */
  readonly chosen: boolean;
}

export function promptMark({ mark, loginKey }: Pick<Login, 'mark' | 'loginKey'>): PromptMark {
  return mark === undefined ? { words: madeOf(loginKey.d), chosen: false } : { words: mark, chosen: true };
}

/** They share a row of a narrow terminal with a rule. */
const mostCharacters = 32;
const fewestCharacters = 4;

/** Why these words cannot be a mark; undefined where they can. @param words without blanks around them */
export function markProblem(words: string): string | undefined {
  const length = [...words].length;
  if (length < fewestCharacters) return `fewer than ${fewestCharacters} characters are too easy to guess`;
  if (length > mostCharacters) return `more than ${mostCharacters} characters do not fit into a prompt`;
  const { warnings } = sanitise(words);
  if (warnings.length > 0 || !/^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(words))
    return 'letters, digits, signs and blanks only';
  // a rule of the frame, a row of dots: anybody draws that
  return /[\p{L}\p{N}]{2}/u.test(words) ? undefined : 'it needs a word';
}

const first =
  'amber ashen azure birch brass brisk calm cedar chalk clear coral crisp dusty eager early fair fern flint fresh frost giant glass gold grand green happy hazel honey ivory jade jolly keen lemon light lilac linen lucky lunar maple mellow merry mint misty moss navy noble ocean olive opal pearl plain proud quick quiet rapid royal ruby rusty sandy silver slate snowy solar vivid'.split(
    ' ',
  );
const second =
  'acorn anchor apple arrow badger banjo basil beacon bison bridge button candle canyon castle cello cherry comet copper crane dolphin eagle ember falcon feather fiddle forest fox garden ginger glacier harbor hawk heron island kettle lantern lark lemur lobster magpie marble meadow melon mirror otter owl panda pebble pepper piano pigeon pilot rabbit raven river robin rocket saddle salmon spruce thistle tiger walnut willow'.split(
    ' ',
  );

function madeOf(secret: string): string {
  const [one = 0, two = 0] = sha256Bytes(`dbguard prompt mark\0${secret}`);
  return `${first[one % first.length]} ${second[two % second.length]}`;
}
