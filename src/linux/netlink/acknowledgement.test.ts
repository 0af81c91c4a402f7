import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "../kernel-error.ts";
import { failureOf } from "./acknowledgement.ts";
import { viewOf } from "./byte-view.ts";
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MISS_TYPE,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "./constants.ts";
import { type NetlinkMessage, readMessages, writeMessage } from "./message.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import { MessageWriter } from "./writer.ts";

/** A message of the kernel, whose payload `write` makes. */
function message(header: { type: number; flags: number }, write: (payload: MessageWriter) => void): NetlinkMessage {
  const payload = new MessageWriter();
  write(payload);
  const datagram = new MessageWriter();
  writeMessage(datagram, { ...header, sequence: 1 }, payload.written);
  return readMessages(viewOf(datagram.written))[0]!;
}

function attribute(writer: MessageWriter, type: number, payload: Uint8Array): void {
  writer.u16(4 + payload.length);
  writer.u16(type);
  writer.raw(payload);
  writer.align();
}

const text = (value: string) => new TextEncoder().encode(`${value}\0`);

test("`failureOf()` of an acknowledgement is undefined", () => {
  const ack = message({ type: NLMSG_ERROR, flags: NLM_F_CAPPED }, (payload) => payload.zeros(20));
  assert.equal(failureOf(ack, "do it"), undefined);
  assert.equal(
    failureOf(
      message({ type: NLMSG_DONE, flags: 0 }, () => {}),
      "do it",
    ),
    undefined,
  );
});

for (const [what, flags, quoted] of [
  ["a header", NLM_F_CAPPED, 0],
  ["the whole request", 0, 24],
] as const) {
  test(`\`failureOf()\` reads what the kernel said behind ${what} that it quotes`, () => {
    const refusal = message({ type: NLMSG_ERROR, flags: flags | NLM_F_ACK_TLVS }, (payload) => {
      payload.u32(-17 >>> 0);
      payload.u32(16 + quoted);
      payload.zeros(12 + quoted);
      attribute(payload, NLMSGERR_ATTR_MSG, text("Nexthop has invalid gateway"));
      attribute(payload, NLMSGERR_ATTR_OFFS, Uint8Array.of(36, 0, 0, 0));
    });
    const failure = failureOf(refusal, "add route 10.0.0.0/8");
    assert.ok(failure instanceof KernelError);
    const { operation, errno, code, detail, message: said } = failure;
    assert.deepStrictEqual(
      { operation, errno, code, detail, said },
      {
        operation: "add route 10.0.0.0/8",
        errno: 17,
        code: "EEXIST",
        detail: "Nexthop has invalid gateway, at byte 36 of the request",
        said: "Cannot add route 10.0.0.0/8: file already exists (EEXIST): Nexthop has invalid gateway, at byte 36 of the request",
      },
    );
  });
}

test("`failureOf()` tells which attribute is missing, also at the end of a dump", () => {
  const done = message({ type: NLMSG_DONE, flags: NLM_F_ACK_TLVS }, (payload) => {
    payload.u32(-22 >>> 0);
    attribute(payload, NLMSGERR_ATTR_MISS_TYPE, Uint8Array.of(3, 0, 0, 0));
  });
  assert.equal(failureOf(done, "list")?.detail, "attribute 3 is missing");
});

test("`failureOf()` without anything said has no `detail`", () => {
  const refusal = message({ type: NLMSG_ERROR, flags: NLM_F_CAPPED }, (payload) => {
    payload.u32(-1 >>> 0);
    payload.zeros(16);
  });
  const failure = failureOf(refusal, "do it");
  assert.equal(failure?.code, "EPERM");
  assert.equal("detail" in (failure ?? {}), false);
});

test("`failureOf()` refuses what is cut off", () => {
  const short = message({ type: NLMSG_ERROR, flags: 0 }, (payload) => payload.zeros(2));
  assert.throws(() => failureOf(short, "do it"), MessageSyntaxError);
  const claims = message({ type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS }, (payload) => {
    payload.u32(-1 >>> 0);
    payload.u32(4000);
    payload.zeros(12);
  });
  assert.throws(() => failureOf(claims, "do it"), MessageSyntaxError);
});
