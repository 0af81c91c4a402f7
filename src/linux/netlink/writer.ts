import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";

const encoder = new TextEncoder();
const INITIAL_BYTES = 256;

/** A growing buffer, written from front to back. */
export class MessageWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #data: DataView;
  #length = 0;

  constructor(capacity: number = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(capacity);
    this.#data = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written, not copied: good until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts again at the front and keeps the memory. */
  reset(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#data.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#data.setUint16(at, value, HOST_LITTLE_ENDIAN);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#data.setUint32(at, value, HOST_LITTLE_ENDIAN);
  }

  u64(value: bigint): void {
    const at = this.#take(8);
    this.#data.setBigUint64(at, value, HOST_LITTLE_ENDIAN);
  }

  /** A 16-bit number in network byte order. */
  be16(value: number): void {
    const at = this.#take(2);
    this.#data.setUint16(at, value);
  }

  /** A 32-bit number in network byte order. */
  be32(value: number): void {
    const at = this.#take(4);
    this.#data.setUint32(at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Text in UTF-8. */
  text(text: string): void {
    let at = this.#length;
    // A character has at most 3 bytes for each of its UTF-16 units.
    this.#take(text.length * 3);
    at += encoder.encodeInto(text, this.#bytes.subarray(at)).written;
    this.#length = at;
  }

  zeros(count: number): void {
    const at = this.#take(count);
    for (let i = at; i < at + count; i++) this.#bytes[i] = 0;
  }

  /** Pads with zeros to a multiple of 4, to which netlink aligns everything. */
  align(): void {
    this.zeros(-this.#length & 3);
  }

  /** Writes a 16-bit number over what is at `offset`: lengths are known last. */
  patchU16(offset: number, value: number): void {
    this.#data.setUint16(offset, value, HOST_LITTLE_ENDIAN);
  }

  /** Makes room, which may replace the memory: look at `#data` and `#bytes` only afterwards. */
  #take(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    this.#length = at + count;
    return at;
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer);
  }
}
