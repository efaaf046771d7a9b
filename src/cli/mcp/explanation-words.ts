/** What a statement would do and what would become of it, for a model: no rule's origin, no role that it could have. */
import type { Judged } from '../judge/judging.js';

const words: Readonly<Record<Judged['ruling']['decision'], string>> = {
  allow: 'It would run at once.',
  ask: 'A person would be asked first:',
  'second-person': 'A second person would be asked first:',
  deny: 'It would be denied:',
};

export function explanationWords({ facts, judgements, ruling }: Judged): Readonly<Record<string, unknown>> {
  const { decision, reason, pendingRows } = ruling;
  const rows = pendingRows ? ' This depends on how many rows it would change, which is looked at when it is sent.' : '';
  return {
    decision: `${words[decision]}${decision === 'allow' ? '' : ` ${reason}`}${rows}`,
    effects: judgements.map(({ effect }) =>
      [
        effect.kind,
        effect.targets.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)).join(', '),
        effect.opaque ? '(what it does cannot be seen in the text)' : '',
        effect.detail ?? '',
      ]
        .filter((part) => part !== '')
        .join(' '),
    ),
    ...(facts.unparseable ? { unreadable: facts.unparseable.message } : {}),
  };
}
