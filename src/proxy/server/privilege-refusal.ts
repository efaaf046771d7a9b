/**
 * The server's refusal for want of a privilege, as it says it of the statement itself and of what runs within it: which
 * relation it was about, and which text of a function or trigger.
 *
 * Source: aclchk.c (aclcheck_error) and pl_exec.c (plpgsql_exec_error_callback) of PostgreSQL.
 */
import { decodeFields, type ResponseFields } from '../../wire/backend.js';

export interface PrivilegeRefusal {
  /** Its name without the schema, where the server speaks English. */
  readonly relation: string | undefined;
  /** The statement of a function or trigger in which it came to that. */
  readonly within: string | undefined;
}

/** insufficient_privilege. */
const insufficientPrivilege = '42501';
/** What a function raises of its own says nothing about privileges. */
const ownRoutine = /^aclcheck_error/;

export function privilegeRefusal(fields: ResponseFields): PrivilegeRefusal | undefined {
  if (fields.get('C') !== insufficientPrivilege || !ownRoutine.test(fields.get('R') ?? '')) return undefined;
  const [, relation] = /^permission denied for (?:table|view|materialized view|foreign table) (.+)$/.exec(
    fields.get('M') ?? '',
  ) ?? [undefined, undefined];
  // the innermost comes first
  const [, within] = /^SQL (?:statement|expression) "([\s\S]*?)"\n(?=PL\/pgSQL)/.exec(fields.get('W') ?? '') ?? [
    undefined,
    undefined,
  ];
  return { relation, within };
}

/** @param bytes one ErrorResponse */
export function isRefusal(bytes: Buffer): boolean {
  return privilegeRefusal(decodeFields(bytes, 0, bytes.length)) !== undefined;
}
