/**
 * Names inside of a fence with a network of its own. Every name is answered with a loopback address that stands for it, so that
 * a program which knows no HTTP proxy reaches the gateway all the same; nothing is asked of a server outside, and so no name can
 * carry anything out.
 *
 * The messages are those of RFC 1035, section 4: one question, no compression in it.
 */

const headerBytes = 12;
const typeA = 1;
const classIn = 1;
/** 127.64.0.0/10 has place for so many. Beyond, the oldest is forgotten. */
const namesMax = 4_000_000;
const heldMax = 20_000;

/** Which address stands for which name. */
export class NameAddresses {
  readonly #addresses = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #next = 1;

  of(name: string): string {
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    const number = this.#next;
    this.#next = (this.#next % namesMax) + 1;
    const address = `127.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    const [oldest] = this.#addresses;
    if (this.#addresses.size >= heldMax && oldest) {
      this.#addresses.delete(oldest[0]);
      this.#names.delete(oldest[1]);
    }
    this.#addresses.set(name, address);
    this.#names.set(address, name);
    return address;
  }

  nameOf(address: string): string | undefined {
    return this.#names.get(address);
  }
}

/**
 * The answer to one datagram; undefined for what is no question. IPv4 addresses alone are answered, other records of a name are
 * said not to be there.
 */
export function answerName(query: Buffer, addresses: NameAddresses): Buffer | undefined {
  if (query.length < headerBytes || query.readUInt16BE(4) !== 1 || (query.readUInt8(2) & 0x80) !== 0) return undefined;
  const read = readName(query, headerBytes);
  if (read === undefined || read.end + 4 > query.length) return undefined;
  const type = query.readUInt16BE(read.end);
  const known = type === typeA && query.readUInt16BE(read.end + 2) === classIn && read.name !== '';
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  // a response, recursion wanted as asked and available; the operation code as asked
  header.writeUInt8(0x80 | (query.readUInt8(2) & 0x79), 2);
  header.writeUInt8(0x80, 3);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(known ? 1 : 0, 6);
  const question = query.subarray(headerBytes, read.end + 4);
  return Buffer.concat([header, question, ...(known ? [addressRecord(addressFor(read.name, addresses))] : [])]);
}

/** localhost is what it is everywhere (RFC 6761 section 6.3). */
function addressFor(name: string, addresses: NameAddresses): string {
  return name === 'localhost' || name.endsWith('.localhost') ? '127.0.0.1' : addresses.of(name);
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc000 | headerBytes, 0); // the name of the question
  record.writeUInt16BE(typeA, 2);
  record.writeUInt16BE(classIn, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(4, 10);
  for (const [index, part] of address.split('.').entries()) record.writeUInt8(Number(part), 12 + index);
  return record;
}

function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) return { name: labels.join('.'), end: at };
    if (at + length > bytes.length || at - start > 255) return undefined;
    const label = bytes.toString('latin1', at, at + length).toLowerCase();
    if (!/^[a-z0-9_-]+$/.test(label)) return undefined;
    labels.push(label);
    at += length;
  }
}
