/**
 * SHA-1 (FIPS 180-4, section 6.1) of short ASCII texts. Written out because the pure folders have no `node:crypto`, and needed
 * because interface names that other programs expect are made of it. Not for secrets.
 */

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const ROUND_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

/** 40 lower-case hex digits. Throws `RangeError` for text outside of ASCII. */
export function sha1Hex(text: string): string {
  const words = paddedWords(text);
  let state = INITIAL;
  for (let block = 0; block < words.length; block += 16) state = compress(state, words.slice(block, block + 16));
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The text, a one bit, zeros, and the length in bits, as big-endian words in whole blocks of 16. */
function paddedWords(text: string): number[] {
  const words = new Array<number>((((text.length + 8) >> 6) + 1) * 16).fill(0);
  const put = (offset: number, byte: number) => {
    words[offset >> 2] = (words[offset >> 2] ?? 0) | (byte << (24 - (offset & 3) * 8));
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) throw new RangeError(`Cannot hash ${JSON.stringify(text)}: want ASCII`);
    put(i, code);
  }
  put(text.length, 0x80);
  words[words.length - 1] = text.length * 8;
  return words;
}

function compress(state: readonly number[], block: readonly number[]): number[] {
  const w = [...block];
  for (let t = 16; t < 80; t++) w.push(rotate(at(w, t - 3) ^ at(w, t - 8) ^ at(w, t - 14) ^ at(w, t - 16), 1));
  let [a, b, c, d, e] = [at(state, 0), at(state, 1), at(state, 2), at(state, 3), at(state, 4)];
  for (let t = 0; t < 80; t++) {
    const round = Math.floor(t / 20);
    const mixed = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    const next = (rotate(a, 5) + mixed + e + at(ROUND_CONSTANTS, round) + at(w, t)) | 0;
    [a, b, c, d, e] = [next, a, rotate(b, 30), c, d];
  }
  return [a, b, c, d, e].map((word, i) => (word + at(state, i)) | 0);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function at(words: readonly number[], index: number): number {
  return words[index] ?? 0;
}
