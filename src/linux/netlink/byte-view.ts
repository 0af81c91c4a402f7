/** Bytes that came from the kernel, with the view that reads numbers out of them; made once for a datagram. */
export interface ByteView {
  readonly bytes: Uint8Array;
  readonly data: DataView;
}

/** A view of `bytes`, which is not copied. */
export function viewOf(bytes: Uint8Array): ByteView {
  return { bytes, data: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
