/** One message to the kernel, ready to be sent; NLM_F_REQUEST and NLM_F_ACK are added by the socket. */
export interface NetlinkRequest {
  /** What it does, as the end of a sentence: `add address 10.2.0.1/32 to link 7`. */
  readonly describe: string;
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}
