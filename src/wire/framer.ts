/**
 * Cuts a byte stream into protocol messages, one `next()` at a time.
 *
 * What lives here: the bytes of one direction that are not consumed yet, and where in a message they stop.
 * What it must not know: what any message means, sockets, the other direction.
 *
 * Cost is linear in the bytes pushed: a message that spans chunks is joined once, when its last byte is there, and
 * memory grows with bytes received, never with a length that was only announced.
 */
import { headerBytes, ProtocolViolation } from './messages.js';

export interface FramerRules {
  /** Types whose bytes are handed on as they come, in runs, without waiting for the end of a message. */
  readonly streamed: readonly number[];
  /** Longest whole message of a type, length word included; longer ones come out as `oversize` pieces. */
  limitOf(type: number): number;
  /** Types this direction knows. Any other first byte is a protocol violation. */
  readonly known: readonly number[];
}

/**
 * - `message`: one whole message in `buffer[start, end)`, header included.
 * - `run`: bytes of one or more messages of one type that are streamed, or cut into whole runs; `messages` counts those that
 *   began in it.
 * - `oversize`: a piece of a message over its limit; `last` marks the final one.
 *
 * The bytes belong to the framer's input: valid until the next `push`, unless the caller keeps the buffer alive.
 */
export type FrameKind = 'message' | 'run' | 'oversize';

/** Pieces below this are copied together, bytes. */
const smallPiece = 512;
const gatherRoom = 8192;

const streamedFlag = 1;
const knownFlag = 2;
const wholeRunFlag = 4;

/**
 * `streamed`: in runs that may begin and end anywhere. `whole`: one by one. `whole-runs`: those that a chunk holds as a
 * whole in one run, one that spans chunks by itself.
 */
export type Cut = 'streamed' | 'whole' | 'whole-runs';

const flagsOf: Readonly<Record<Cut, number>> = {
  streamed: knownFlag | streamedFlag,
  whole: knownFlag,
  'whole-runs': knownFlag | wholeRunFlag,
};

export class Framer {
  kind: FrameKind = 'message';
  type = 0;
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Streamed messages that began in this run. */
  messages = 0;
  /** True on the piece that ends an oversize message; a run may end anywhere. */
  last = false;

  readonly #flags = new Uint8Array(256);
  readonly #limitOf: (type: number) => number;
  /** The chunk being cut and the offset of its first byte that is not consumed. */
  #chunk: Buffer = Buffer.alloc(0);
  #offset = 0;
  /** Chunks pushed while an earlier one was still being cut. */
  #backlog: Buffer[] = [];
  /** Pieces of a whole message that is not complete yet, and how many bytes they hold. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #wanted = 0;
  /** The last piece, when it is gathered from small ones, and the memory that it can grow in. */
  #gathered: Buffer = Buffer.alloc(0);
  #room: Buffer = Buffer.alloc(0);
  /** Bytes of a streamed or oversize message that are still to come. */
  #remaining = 0;
  #remainingKind: 'run' | 'oversize' = 'run';
  #remainingType = 0;

  constructor(rules: FramerRules) {
    for (const type of rules.known) this.setCut(type, 'whole');
    for (const type of rules.streamed) this.setCut(type, 'streamed');
    this.#limitOf = rules.limitOf;
  }

  /** Takes ownership of the chunk: it must not be written to afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#offset === this.#chunk.length && this.#backlog.length === 0) {
      this.#chunk = chunk;
      this.#offset = 0;
    } else {
      this.#backlog.push(chunk);
    }
  }

  /** How messages of `type` come out from the next message on. */
  setCut(type: number, cut: Cut): void {
    this.#flags[type] = flagsOf[cut];
  }

  /** Bytes pushed and not yet handed out. */
  get buffered(): number {
    let bytes = this.#chunk.length - this.#offset + this.#piecesLength;
    for (const chunk of this.#backlog) bytes += chunk.length;
    return bytes;
  }

  /** True where the stream stands between two messages: the only place where another message may be inserted. */
  get atBoundary(): boolean {
    return this.#remaining === 0;
  }

  /** Sets the frame fields to the next frame; false when more bytes are needed. Throws ProtocolViolation. */
  next(): boolean {
    for (;;) {
      if (this.#offset === this.#chunk.length) {
        const following = this.#backlog.shift();
        if (following === undefined) return false;
        this.#chunk = following;
        this.#offset = 0;
      }
      if (this.#remaining > 0) return this.#continueRun();
      if (this.#piecesLength > 0) {
        if (this.#completePieces()) return true;
        continue;
      }
      const available = this.#chunk.length - this.#offset;
      if (available < headerBytes) {
        this.#keepPiece(available);
        continue;
      }
      const type = this.#chunk[this.#offset] as number;
      const total = this.#totalAt(this.#chunk, this.#offset);
      const flags = this.#flags[type] as number;
      if (flags & streamedFlag) return this.#startRun(type);
      if (total > this.#limitOf(type) + 1) return this.#startOversize(type, total);
      if (total > available) {
        this.#wanted = total;
        this.#keepPiece(available);
        continue;
      }
      if (flags & wholeRunFlag) return this.#wholeRun(type);
      this.#emit('message', type, this.#chunk, this.#offset, this.#offset + total);
      this.#offset += total;
      return true;
    }
  }

  /** The first message is known to be whole and within its limit. */
  #wholeRun(type: number): boolean {
    const chunk = this.#chunk;
    const longest = this.#limitOf(type) + 1;
    let at = this.#offset;
    let messages = 0;
    while (chunk.length - at >= headerBytes && chunk[at] === type) {
      const total = this.#totalAt(chunk, at);
      if (total > chunk.length - at || total > longest) break;
      messages++;
      at += total;
    }
    this.#emit('run', type, chunk, this.#offset, at);
    this.messages = messages;
    this.#offset = at;
    return true;
  }

  /** Length of the whole message whose header starts at `at`. Attacker-controlled: checked before it is used. */
  #totalAt(bytes: Buffer, at: number): number {
    const type = bytes[at] as number;
    if (this.#flags[type] === 0) {
      throw new ProtocolViolation(`unknown message type 0x${type.toString(16).padStart(2, '0')}`);
    }
    const length =
      ((bytes[at + 1] as number) << 24) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 8) |
      (bytes[at + 4] as number);
    if (length < 4) throw new ProtocolViolation(`message length ${length} is shorter than its own length word`);
    return length + 1;
  }

  /** Walks over as many whole messages of one streamed type as the chunk holds: one run for thousands of rows. */
  #startRun(type: number): boolean {
    const chunk = this.#chunk;
    const start = this.#offset;
    let at = start;
    let messages = 0;
    while (chunk.length - at >= headerBytes && chunk[at] === type) {
      messages++;
      at += this.#totalAt(chunk, at);
      if (at > chunk.length) {
        this.#remaining = at - chunk.length;
        this.#remainingKind = 'run';
        this.#remainingType = type;
        at = chunk.length;
        break;
      }
    }
    this.#emit('run', type, chunk, start, at);
    this.messages = messages;
    this.#offset = at;
    return true;
  }

  #startOversize(type: number, total: number): boolean {
    const available = this.#chunk.length - this.#offset;
    const taken = Math.min(available, total);
    this.#remaining = total - taken;
    this.#remainingKind = 'oversize';
    this.#remainingType = type;
    this.#emit('oversize', type, this.#chunk, this.#offset, this.#offset + taken);
    this.messages = 1;
    this.last = this.#remaining === 0;
    this.#offset += taken;
    return true;
  }

  #continueRun(): boolean {
    const taken = Math.min(this.#remaining, this.#chunk.length - this.#offset);
    this.#remaining -= taken;
    this.#emit(this.#remainingKind, this.#remainingType, this.#chunk, this.#offset, this.#offset + taken);
    this.messages = 0;
    this.last = this.#remaining === 0;
    this.#offset += taken;
    return true;
  }

  #keepPiece(length: number): void {
    const from = this.#offset;
    if (length < smallPiece) this.#gather(from, length);
    else this.#pieces.push(this.#chunk.subarray(from, from + length));
    this.#piecesLength += length;
    this.#offset += length;
  }

  /** A Buffer for each byte of a message that trickles in would cost a hundred times the message. */
  #gather(from: number, length: number): void {
    if (this.#pieces.at(-1) !== this.#gathered || this.#gathered.length + length > this.#room.length) {
      // with no piece kept, nothing refers to the room any more
      if (this.#pieces.length > 0 || this.#room.length === 0) this.#room = Buffer.allocUnsafeSlow(gatherRoom);
      this.#gathered = this.#room.subarray(0, 0);
      this.#pieces.push(this.#gathered);
    }
    const filled = this.#gathered.length;
    this.#chunk.copy(this.#room, filled, from, from + length);
    this.#gathered = this.#room.subarray(0, filled + length);
    this.#pieces[this.#pieces.length - 1] = this.#gathered;
  }

  /** Adds to the unfinished message; true when a frame came out of it. */
  #completePieces(): boolean {
    if (this.#wanted === 0) {
      // fewer than five bytes so far: complete the header, then look again at the whole
      this.#keepPiece(Math.min(headerBytes - this.#piecesLength, this.#chunk.length - this.#offset));
      if (this.#piecesLength < headerBytes) return false;
      const header = Buffer.concat(this.#pieces);
      const type = header[0] as number;
      const total = this.#totalAt(header, 0);
      if ((this.#flags[type] as number) & streamedFlag || total > this.#limitOf(type) + 1 || total === headerBytes) {
        this.#prepend(header);
        return false;
      }
      this.#pieces = [header];
      this.#wanted = total;
      return false;
    }
    this.#keepPiece(Math.min(this.#wanted - this.#piecesLength, this.#chunk.length - this.#offset));
    if (this.#piecesLength < this.#wanted) return false;
    const whole = Buffer.concat(this.#pieces, this.#wanted);
    this.#emit('message', whole[0] as number, whole, 0, whole.length);
    this.#pieces = [];
    this.#piecesLength = 0;
    this.#wanted = 0;
    return true;
  }

  /** Puts a completed header back in front of the rest, to be cut as if it had come in one chunk. */
  #prepend(header: Buffer): void {
    if (this.#offset < this.#chunk.length) this.#backlog.unshift(this.#chunk.subarray(this.#offset));
    this.#chunk = header;
    this.#offset = 0;
    this.#pieces = [];
    this.#piecesLength = 0;
  }

  #emit(kind: FrameKind, type: number, buffer: Buffer, start: number, end: number): void {
    this.kind = kind;
    this.type = type;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.messages = 1;
    this.last = true;
  }
}

/** Every byte of `table`, for `FramerRules.known`. */
export function typesOf(table: Readonly<Record<string, number>>): number[] {
  return Object.values(table);
}
