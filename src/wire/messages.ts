/**
 * Message type bytes of the PostgreSQL frontend/backend protocol 3 ("Message Formats" in the PostgreSQL manual).
 * The same byte means different things in the two directions, hence two tables.
 */

/** Sent by the client. */
export const frontend = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  password: 0x70, // p: PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

/** Sent by the server. */
export const backend = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyBothResponse: 0x57, // W
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  functionCallResponse: 0x56, // V
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** ReadyForQuery's byte: idle, in a transaction block, in a failed transaction block. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** Type byte and length word; the length word counts itself but not the type byte. */
export const headerBytes = 5;

/** PQ_SMALL_MESSAGE_LIMIT (libpq.h): for the message types that carry no variable payload worth more. */
export const smallMessageLimit = 10_000;

/** A peer that breaks the protocol: the connection cannot go on. `message` is safe to show. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}
