/** UTF-8 for places without TextEncoder and TextDecoder (QuickJS has neither). */

/** The text as UTF-8. Halves of surrogate pairs become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  // No UTF-16 unit takes more than three bytes.
  const bytes = new Uint8Array(text.length * 3);
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[end++] = unit;
      continue;
    }
    let point = text.codePointAt(i) ?? 0;
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point >= 0x10000) {
      bytes[end++] = 0xf0 | (point >> 18);
      bytes[end++] = 0x80 | ((point >> 12) & 0x3f);
    } else if (point >= 0x800) {
      bytes[end++] = 0xe0 | (point >> 12);
    }
    if (point >= 0x800) bytes[end++] = 0x80 | ((point >> 6) & 0x3f);
    else bytes[end++] = 0xc0 | (point >> 6);
    bytes[end++] = 0x80 | (point & 0x3f);
  }
  return bytes.slice(0, end);
}

/** The text that the bytes are. Throws `SyntaxError` with the offset of the first byte that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  const parts: string[] = [];
  let units: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] as number;
    const length = first < 0x80 ? 1 : sequenceLength(first);
    const point = length === 1 ? first : decodeSequence(bytes, i, length);
    if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    i += length;
    // Arguments of a call live on the stack: a bounded number at once.
    if (units.length >= 4096) {
      parts.push(String.fromCharCode(...units));
      units = [];
    }
  }
  parts.push(String.fromCharCode(...units));
  return parts.join("");
}

/** How many bytes a sequence has, from its first one; 0 if none begins so. */
function sequenceLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/** Smallest code point that needs a sequence of this length. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];

function decodeSequence(bytes: Uint8Array, start: number, length: number): number {
  let point = (bytes[start] as number) & (0x7f >> length);
  for (let i = start + 1; i < start + length; i++) {
    const byte = bytes[i];
    if (byte === undefined || (byte & 0xc0) !== 0x80) throw malformed(start);
    point = (point << 6) | (byte & 0x3f);
  }
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  if (length === 0 || surrogate || point < (LEAST[length] as number) || point > 0x10ffff) throw malformed(start);
  return point;
}

function malformed(offset: number): SyntaxError {
  return new SyntaxError(`Not UTF-8 at byte ${offset}`);
}
