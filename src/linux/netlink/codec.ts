import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";
import type { ByteView } from "./byte-view.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import type { MessageWriter } from "./writer.ts";

/** How a value stands in a message. Written as methods, so that a codec of a narrow type fits a table of codecs of anything. */
export interface Codec<T> {
  /** Set in the type of an attribute whose payload is attributes. */
  readonly nested?: boolean;
  encode(writer: MessageWriter, value: T): void;
  /** Reads the bytes from `start` to `end`. Throws {@link MessageSyntaxError}. */
  decode(view: ByteView, start: number, end: number): T;
}

/** The type of value that a codec is for. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** A byte. */
export const u8: Codec<number> = fixed(1, {
  encode: (writer, value) => writer.u8(value),
  decode: ({ data }, start) => data.getUint8(start),
});

/** 16 bits in the machine's byte order. */
export const u16: Codec<number> = fixed(2, {
  encode: (writer, value) => writer.u16(value),
  decode: ({ data }, start) => data.getUint16(start, HOST_LITTLE_ENDIAN),
});

/** 32 bits in the machine's byte order. */
export const u32: Codec<number> = fixed(4, {
  encode: (writer, value) => writer.u32(value),
  decode: ({ data }, start) => data.getUint32(start, HOST_LITTLE_ENDIAN),
});

/** 32 bits with a sign, in the machine's byte order. */
export const s32: Codec<number> = fixed(4, {
  encode: (writer, value) => writer.u32(value >>> 0),
  decode: ({ data }, start) => data.getInt32(start, HOST_LITTLE_ENDIAN),
});

/** 64 bits in the machine's byte order. */
export const u64: Codec<bigint> = fixed(8, {
  encode: (writer, value) => writer.u64(value),
  decode: ({ data }, start) => data.getBigUint64(start, HOST_LITTLE_ENDIAN),
});

/** 16 bits in network byte order. */
export const be16: Codec<number> = fixed(2, {
  encode: (writer, value) => writer.be16(value),
  decode: ({ data }, start) => data.getUint16(start),
});

/** 32 bits in network byte order. */
export const be32: Codec<number> = fixed(4, {
  encode: (writer, value) => writer.be32(value),
  decode: ({ data }, start) => data.getUint32(start),
});

/** Bytes as they are (a copy). */
export const bytes: Codec<Uint8Array> = {
  encode: (writer, value) => writer.raw(value),
  decode: (view, start, end) => view.bytes.slice(start, end),
};

/** An attribute that is there or not, without a value. */
export const flag: Codec<true> = fixed(0, { encode: () => {}, decode: () => true });

function fixed<T>(size: number, codec: Codec<T>): Codec<T> {
  return {
    encode: (writer, value) => codec.encode(writer, value),
    decode(view, start, end) {
      if (end - start !== size) throw new MessageSyntaxError(`want ${size} bytes, found ${end - start}`, start);
      return codec.decode(view, start, end);
    },
  };
}
