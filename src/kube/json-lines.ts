const NEWLINE = 0x0a;

/** Cuts a stream of bytes into the lines of text that it holds, however it is chunked, also inside of a character. */
export interface LineDecoder {
  /** The lines that are complete with this chunk, without their ends. Empty lines are left out. */
  push(chunk: Buffer): string[];
  /** Bytes of a line that has begun and not ended. */
  readonly pending: number;
}

/** Makes a decoder for one stream. */
export function createLineDecoder(): LineDecoder {
  let parts: Buffer[] = [];
  let pending = 0;
  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        let line: string;
        if (pending === 0) line = chunk.toString("utf8", start, end);
        else {
          parts.push(chunk.subarray(start, end));
          line = Buffer.concat(parts).toString("utf8");
          parts = [];
          pending = 0;
        }
        if (line !== "" && line !== "\r") lines.push(line);
        start = end + 1;
      }
      if (start < chunk.length) {
        // A copy, so that a short rest does not keep the whole chunk in memory.
        parts.push(Buffer.from(chunk.subarray(start)));
        pending += chunk.length - start;
      }
      return lines;
    },
    get pending() {
      return pending;
    },
  };
}
