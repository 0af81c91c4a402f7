/** Bytes that are not what they should be: cut off, or of the wrong length. */
export class MessageSyntaxError extends SyntaxError {
  override readonly name = "MessageSyntaxError";
  /** Where, in bytes from the start of the datagram. */
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`Cannot decode a netlink message: ${problem} at byte ${offset}`);
    this.offset = offset;
  }
}
