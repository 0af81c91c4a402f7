import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";
import type { ByteView } from "./byte-view.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import type { MessageWriter } from "./writer.ts";

/** Bytes of `struct nlmsghdr`. */
export const MESSAGE_HEADER_BYTES = 16;

/**
 * One message of a datagram; the payload is between `start` and `end` of `view`, and good until the next datagram is received.
 */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly view: ByteView;
  readonly start: number;
  readonly end: number;
}

/** Writes a header and the payload behind it. */
export function writeMessage(
  writer: MessageWriter,
  header: { type: number; flags: number; sequence: number },
  payload: Uint8Array,
): void {
  writer.u32(MESSAGE_HEADER_BYTES + payload.length);
  writer.u16(header.type);
  writer.u16(header.flags);
  writer.u32(header.sequence);
  // The port of the sender, which the kernel fills in.
  writer.u32(0);
  writer.raw(payload);
  writer.align();
}

/** The messages of a datagram, in order. Throws {@link MessageSyntaxError}. */
export function readMessages(view: ByteView): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const size = view.bytes.length;
  let at = 0;
  while (at < size) {
    if (size - at < MESSAGE_HEADER_BYTES) throw new MessageSyntaxError("a message's header is cut off", at);
    const length = view.data.getUint32(at, HOST_LITTLE_ENDIAN);
    if (length < MESSAGE_HEADER_BYTES || at + length > size)
      throw new MessageSyntaxError(`a message has the bad length ${length}`, at);
    messages.push({
      type: view.data.getUint16(at + 4, HOST_LITTLE_ENDIAN),
      flags: view.data.getUint16(at + 6, HOST_LITTLE_ENDIAN),
      sequence: view.data.getUint32(at + 8, HOST_LITTLE_ENDIAN),
      view,
      start: at + MESSAGE_HEADER_BYTES,
      end: at + length,
    });
    at += (length + 3) & ~3;
  }
  return messages;
}
