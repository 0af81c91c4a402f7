import type { AddressBlock } from "../crd/address-block.ts";
import { LABEL_NODE, LABEL_POOL, LABEL_REQUEST, LABEL_RESERVED, RESERVED } from "../crd/names.ts";
import { formatPrefix, hostBits, prefixEquals, tryParsePrefix } from "../ip/prefix.ts";
import type { BlockPrefixes } from "./layout.ts";

/** An AddressBlock as the allocator and the grant book see it. */
export interface Block extends BlockPrefixes {
  readonly name: string;
  readonly uid: string;
  /** Name of the pool it was cut from. */
  readonly pool: string;
  /** Name of the node that owns it; empty when the label is missing. */
  readonly node: string;
  readonly index: number;
  /** Number of addresses. */
  readonly size: number;
  /** Never allocated from and never released. */
  readonly reserved: boolean;
  /** Somebody deleted it: no new addresses, and it goes as soon as it is empty. */
  readonly terminating: boolean;
  /** UID of the BlockRequest it answers. */
  readonly request?: string;
}

/** Why an AddressBlock cannot be used. */
export interface BlockProblem {
  readonly name: string;
  /** A sentence with field and value. */
  readonly problem: string;
}

/** More addresses than this are not counted: offsets stay small integers. */
const MAX_HOST_BITS = 31;

/** Reads an AddressBlock. Blocks are made by the controller, but nobody keeps people from making or editing them by hand. */
export function blockFrom(object: AddressBlock): Block | BlockProblem {
  const { name, uid, labels = {}, deletionTimestamp } = object.metadata;
  const ipv4 = object.ipv4 === undefined ? undefined : tryParsePrefix(object.ipv4);
  const ipv6 = object.ipv6 === undefined ? undefined : tryParsePrefix(object.ipv6);
  const wrong = (problem: string): BlockProblem => ({ name, problem });
  if (!uid) return wrong("metadata.uid is empty");
  const pool = labels[LABEL_POOL];
  if (!pool) return wrong(`the label ${LABEL_POOL} is missing`);
  if (object.ipv4 !== undefined && ipv4?.address.family !== "ipv4") return wrong(`ipv4 is not an IPv4 network: ${object.ipv4}`);
  if (object.ipv6 !== undefined && ipv6?.address.family !== "ipv6") return wrong(`ipv6 is not an IPv6 network: ${object.ipv6}`);
  const bits = [ipv4, ipv6].flatMap((prefix) => (prefix ? [hostBits(prefix)] : []));
  if (bits.length === 0) return wrong("it has neither ipv4 nor ipv6");
  if (ipv4 && ipv6 && bits[0] !== bits[1]) return wrong(`${formatPrefix(ipv4)} and ${formatPrefix(ipv6)} differ in size`);
  const request = labels[LABEL_REQUEST];
  return {
    ...{ name, uid, pool, node: labels[LABEL_NODE] ?? "", index: object.index },
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
    size: 2 ** Math.min(MAX_HOST_BITS, ...bits),
    reserved: labels[LABEL_RESERVED] === RESERVED,
    terminating: deletionTimestamp !== undefined,
    ...(request && { request }),
  };
}

/** Whether {@link blockFrom} found a problem. */
export function isBlockProblem(result: Block | BlockProblem): result is BlockProblem {
  return "problem" in result;
}

/** The networks of a block, IPv4 first. */
export function blockNetworks({ ipv4, ipv6 }: BlockPrefixes): readonly NonNullable<BlockPrefixes["ipv4"]>[] {
  return [ipv4, ipv6].filter((prefix) => prefix !== undefined);
}

/** Whether two states of one block stand for the same addresses. Nobody should edit them, but the API does not keep people from it. */
export function sameNetworks(a: Block, b: Block): boolean {
  const [from, to] = [blockNetworks(a), blockNetworks(b)];
  return (
    a.pool === b.pool && from.length === to.length && from.every((network, i) => prefixEquals(network, to[i] as typeof network))
  );
}
