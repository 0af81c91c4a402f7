/** Bytes that arrive in pieces and are taken in other pieces. */
export interface InputBuffer {
  /** How many bytes wait to be taken. */
  readonly length: number;
  /** Whether nothing more will come. */
  readonly ended: boolean;
  push(bytes: Uint8Array): void;
  end(): void;
  /** Takes `size` bytes, which must be there. */
  take(size: number): Uint8Array;
  /** Takes a line without its CRLF as Latin-1; undefined if its end is not there yet. Throws `SyntaxError` for a bare LF and for endless lines. */
  takeLine(): string | undefined;
}

const LF = 0x0a;
const CR = 0x0d;

/** An empty buffer whose lines have at most `maxLine` bytes. */
export function createInputBuffer(maxLine: number): InputBuffer {
  let bytes = new Uint8Array(4096);
  let start = 0;
  let end = 0;
  let ended = false;
  /** Up to where no line end was found, relative to `start`: nothing is searched twice. */
  let searched = 0;

  function makeRoom(size: number): void {
    if (end + size <= bytes.length) return;
    const waiting = bytes.subarray(start, end);
    if (waiting.length + size > bytes.length) bytes = new Uint8Array(Math.max(bytes.length * 2, waiting.length + size));
    bytes.set(waiting);
    end -= start;
    start = 0;
  }

  function take(size: number): Uint8Array {
    if (size > end - start) throw new RangeError(`Cannot take ${size} bytes of ${end - start}`);
    const taken = bytes.slice(start, start + size);
    start += size;
    searched = 0;
    return taken;
  }

  return {
    get length() {
      return end - start;
    },
    get ended() {
      return ended;
    },
    push(more) {
      makeRoom(more.length);
      bytes.set(more, end);
      end += more.length;
    },
    end() {
      ended = true;
    },
    take,
    takeLine() {
      const found = bytes.subarray(start, end).indexOf(LF, searched);
      if (found > maxLine || (found < 0 && end - start > maxLine)) throw new SyntaxError(`a line of more than ${maxLine} bytes`);
      if (found < 0) {
        searched = end - start;
        return undefined;
      }
      const line = take(found + 1);
      if (line[found - 1] !== CR) throw new SyntaxError("a line that does not end with CRLF");
      return Array.from(line.subarray(0, found - 1), (byte) => String.fromCharCode(byte)).join("");
    },
  };
}
