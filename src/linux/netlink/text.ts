import type { Codec } from "./codec.ts";

const decoder = new TextDecoder();

/** Text with a NUL behind it, as the kernel takes names. */
export const cstring: Codec<string> = {
  encode(writer, value) {
    writer.text(value);
    writer.u8(0);
  },
  decode: (view, start, end) => decodeUntilNul(view.bytes, start, end),
};

/** Text whose length is that of the attribute; some attributes keep a NUL as a part of the text. */
export const plainText: Codec<string> = {
  encode: (writer, value) => writer.text(value),
  decode: (view, start, end) => decodeUntilNul(view.bytes, start, end),
};

function decodeUntilNul(bytes: Uint8Array, start: number, end: number): string {
  const nul = bytes.indexOf(0, start);
  return decoder.decode(bytes.subarray(start, nul < 0 || nul > end ? end : nul));
}
