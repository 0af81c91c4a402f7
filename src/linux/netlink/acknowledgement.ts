import { KernelError } from "../kernel-error.ts";
import { attributeSet } from "./attributes.ts";
import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";
import { u32 } from "./codec.ts";
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MISS_TYPE,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "./constants.ts";
import { MESSAGE_HEADER_BYTES, type NetlinkMessage } from "./message.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import { cstring } from "./text.ts";

const ERROR_BYTES = 4;

const extendedAck = attributeSet({
  message: { type: NLMSGERR_ATTR_MSG, codec: cstring },
  offset: { type: NLMSGERR_ATTR_OFFS, codec: u32 },
  missingType: { type: NLMSGERR_ATTR_MISS_TYPE, codec: u32 },
});

/** The failure that an NLMSG_ERROR or NLMSG_DONE tells of, or undefined when it is an acknowledgement of success. */
export function failureOf(message: NetlinkMessage, operation: string): KernelError | undefined {
  const { view, start, end } = message;
  // A dump that ends well may send a DONE without a payload.
  if (message.type !== NLMSG_ERROR && end === start) return undefined;
  if (end - start < ERROR_BYTES) throw new MessageSyntaxError("an error number is cut off", start);
  const errno = -view.data.getInt32(start, HOST_LITTLE_ENDIAN);
  return errno <= 0 ? undefined : new KernelError({ operation, errno, detail: detailOf(message) });
}

function detailOf(message: NetlinkMessage): string | undefined {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const start = message.start + ERROR_BYTES + (message.type === NLMSG_ERROR ? quotedBytes(message) : 0);
  if (start > message.end) throw new MessageSyntaxError("the quoted request is cut off", message.start);
  const { message: text, offset, missingType } = extendedAck.decode(message.view, start, message.end);
  const parts: string[] = [];
  if (text !== undefined) parts.push(text);
  if (missingType !== undefined) parts.push(`attribute ${missingType} is missing`);
  if (offset !== undefined) parts.push(`at byte ${offset} of the request`);
  return parts.length > 0 ? parts.join(", ") : undefined;
}

/** An error quotes the request's header, and all of the request unless it is capped. */
function quotedBytes({ view, start, end, flags }: NetlinkMessage): number {
  if (flags & NLM_F_CAPPED || end - start < ERROR_BYTES + MESSAGE_HEADER_BYTES) return MESSAGE_HEADER_BYTES;
  return (view.data.getUint32(start + ERROR_BYTES, HOST_LITTLE_ENDIAN) + 3) & ~3;
}
