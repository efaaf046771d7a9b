/**
 * How a statement is stopped so that the client sees what it would see of any failing statement.
 *
 * What: instead of the statement, the server gets a message of the same kind that is sure to fail; its error is
 * replaced by ours. Why: transaction state, skipping to Sync and ReadyForQuery then come from the server itself and
 * cannot drift. Rejected: answering alone and imitating the server's state, which goes wrong in pipelines, implicit
 * transactions and COPY.
 */

import type { Ruling } from '../../policy/decision.js';
import { type ErrorText, message } from '../../wire/backend.js';
import { frontend } from '../../wire/messages.js';
import type { GatedKind } from '../candidate.js';
import type { Answer, Approver } from './asker.js';

/** A message of the same kind that fails on any server: no grammar has this text, nobody can guess the portal. */
export function failingMessage(kind: GatedKind, missingPortalName: string): Buffer {
  switch (kind) {
    case 'query':
      return message(frontend.query, Buffer.from('dbguard stopped a statement here\0', 'latin1'));
    case 'execute':
      return message(frontend.execute, Buffer.from(`${missingPortalName}\0\0\0\0\0`, 'latin1'));
    case 'function':
      // function 0, no formats, no arguments, text result
      return message(frontend.functionCall, Buffer.alloc(10));
  }
}

/** insufficient_privilege: what the server says when somebody may not do something. */
const deniedState = '42501';
/** query_canceled. */
const cancelledState = '57014';

const retry = 'Retrying the same statement will be refused again; change it or ask the person you work for.';

/** The error for a statement that the policy denies without asking anybody, be it that only its run has shown that. */
export function deniedByRule(ruling: Ruling, run: 'not run' | 'undone' = 'not run'): ErrorText {
  const second = ruling.decision === 'second-person';
  return {
    severity: 'ERROR',
    code: deniedState,
    message: `dbguard denied this statement: ${second ? 'it needs a second person. ' : ''}${ruling.reason}`,
    detail: `Decided by rule ${ruling.rule} (${ruling.origin}). ${run === 'undone' ? 'Nothing of it remains.' : 'The statement was not run.'}`,
    hint: second
      ? 'Nobody is named who could approve it. Tell the person you work for what it is needed for.'
      : (ruling.advice ?? retry),
  };
}

/** The error for a statement that was asked about and not allowed. */
export function deniedByAnswer(ruling: Ruling, answer: Exclude<Answer, { decision: 'allow' }>): ErrorText {
  const asked = `Asked because of rule ${ruling.rule} (${ruling.origin}): ${ruling.reason} The statement was not run.`;
  if (answer.decision === 'abort') return sessionEnded(answer.by, asked);
  const { reason } = answer;
  switch (answer.by.kind) {
    case 'cancel':
      return {
        severity: 'ERROR',
        code: cancelledState,
        message: 'canceling statement due to user request',
        detail: 'The statement was waiting for approval in dbguard and was not run.',
      };
    case 'timeout':
      if (ruling.decision === 'second-person') return unansweredYet(asked, reason);
      return {
        severity: 'ERROR',
        code: deniedState,
        message: 'dbguard denied this statement: nobody approved it in time',
        detail: asked,
        hint: 'A person must be at the terminal. Tell them what you are about to run, then try again once.',
      };
    case 'nobody':
      if (ruling.decision === 'second-person') return nobodyElse(asked, reason);
      return {
        severity: 'ERROR',
        code: deniedState,
        message: `dbguard denied this statement: it needs approval and nobody can be asked`,
        detail: asked,
        hint: reason ?? 'Run "dbguard approvals" in another terminal to answer, or start dbguard run from a terminal.',
      };
    case 'earlier-denial':
      return {
        severity: 'ERROR',
        code: deniedState,
        message: `dbguard denied this statement: ${reason ?? 'a person denied the same one a moment ago'}`,
        detail: asked,
        hint: retry,
      };
    default: {
      return {
        severity: 'ERROR',
        code: deniedState,
        message: `dbguard: ${person(answer.by)} denied this statement${reason ? `: ${reason}` : ''}`,
        detail: asked,
        hint: reason ? `Act on the reason given. ${retry}` : retry,
      };
    }
  }
}

/** A second person has the time that they need: nothing waits for them meanwhile. */
function unansweredYet(asked: string, reason: string | undefined): ErrorText {
  return {
    severity: 'ERROR',
    code: deniedState,
    message: `dbguard: no second person has approved this statement yet${reason ? ` (${reason})` : ''}`,
    detail: asked,
    hint: 'Go on with something else, or say that you wait. Send exactly the same statement again later: an approval that has come by then lets it run.',
  };
}

function nobodyElse(asked: string, reason: string | undefined): ErrorText {
  return {
    severity: 'ERROR',
    code: deniedState,
    message: 'dbguard denied this statement: it needs a second person, and none could be asked',
    detail: asked,
    hint: reason ?? 'Tell the person you work for what it is needed for.',
  };
}

function sessionEnded(by: Approver, asked: string): ErrorText {
  return {
    severity: 'ERROR',
    code: deniedState,
    message: `dbguard: ${person(by)} ended this session instead of approving this statement`,
    detail: asked,
    hint: 'Stop here. The program that dbguard runs is being ended.',
  };
}

function person({ kind, name, channel = 'terminal' }: Approver): string {
  if (kind === 'second-person') return `${name ?? 'somebody else'} (a second person)`;
  return name ?? (channel === 'terminal' ? 'the person at the terminal' : 'a person');
}

/** The error for a statement that ran, went beyond what was approved, and cannot be asked about in place. */
export function undoneText(real: string): ErrorText {
  return {
    severity: 'ERROR',
    code: deniedState,
    message: `dbguard undid this statement: it changed or deleted ${real}, more than the person who approved it was shown`,
    detail: 'Nothing of it remains.',
    hint: 'Say which rows you mean by their keys, or tell the person what it really does and send it again, alone.',
  };
}

/** The error for a statement that was approved to run as a role, and was not run, since something of it could outlast it. */
export function keptBackText(role: string, why: string): ErrorText {
  return {
    severity: 'ERROR',
    code: deniedState,
    message: `dbguard did not run this statement as ${role}: ${why}`,
    detail: 'Nothing of it was run.',
    hint: 'Send it alone, on a connection that has made nothing of its own.',
  };
}

/** How the notice begins that a statement waits. */
export const waitingFor = 'dbguard: waiting for ';

/** @param others how many people approve where the one at the terminal may not */
export function awaitingApproval({ decision, reason }: Ruling, others: number): ErrorText {
  const second = others > 1 ? `${others} other people` : 'a second person';
  const who = decision === 'second-person' ? second : 'a person';
  return {
    severity: 'NOTICE',
    code: '00000',
    message: `${waitingFor}${who} to approve this statement: ${reason}`,
  };
}
