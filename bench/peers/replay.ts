import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { NLM_F_ACK, NLM_F_REQUEST } from "../../src/linux/netlink/constants.ts";
import { writeMessage } from "../../src/linux/netlink/message.ts";
import { MessageWriter } from "../../src/linux/netlink/writer.ts";
import type { NetNamespace } from "../../src/linux/netns/namespace.ts";
import type { RouteRequest } from "../../src/linux/route/request.ts";

/** Requests for the C program `replay`, in order. */
export interface ReplayScript {
  /** A socket in a pod's namespace, by its place in the list of namespaces. */
  openPod(place: number): void;
  host(requests: readonly RouteRequest[]): void;
  pod(requests: readonly RouteRequest[]): void;
  /** The time since the mark before is reported under this label. */
  mark(label: string): void;
  readonly labels: readonly string[];
  readonly bytes: Uint8Array;
}

/** Where a script runs. */
export interface ReplayPlace {
  readonly host: string;
  readonly pods?: readonly string[];
}

/** Runs a script and gives the milliseconds of each mark, by label, in order. */
export type Replay = (script: ReplayScript, place: ReplayPlace) => Promise<Map<string, number[]>>;

/** How many requests our own sockets send in one datagram. */
const LARGEST_BATCH = 128;
/** No descriptor of the program itself is as high. */
const FIRST_FD = 100;
const LITTLE = endianness() === "LE";
const OPEN_POD = 1;
const SEND_HOST = 2;
const SEND_POD = 3;
const MARK = 4;

const execute = promisify(execFile);
let serial = 0;

/** The namespace at a place of the list, as requests of a script must name it. */
export function podOfScript(place: number): NetNamespace {
  return { fd: FIRST_FD + place, inode: 0n, [Symbol.dispose]: () => {} };
}

/** An empty script. */
export function createScript(): ReplayScript {
  const chunks: Uint8Array[] = [];
  const labels: string[] = [];

  function record(what: number, number: number, bytes: Uint8Array = new Uint8Array()): void {
    const header = new DataView(new ArrayBuffer(12));
    for (const [i, value] of [what, number, bytes.length].entries()) header.setUint32(i * 4, value, LITTLE);
    chunks.push(new Uint8Array(header.buffer), bytes);
  }

  function send(what: number, requests: readonly RouteRequest[]): void {
    for (let from = 0; from < requests.length; from += LARGEST_BATCH) {
      const writer = new MessageWriter();
      const batch = requests.slice(from, from + LARGEST_BATCH);
      for (const { type, flags, payload } of batch) {
        writeMessage(writer, { type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, sequence: 1 }, payload);
      }
      record(what, batch.length, Uint8Array.from(writer.written));
    }
  }

  return {
    openPod: (place) => record(OPEN_POD, place),
    host: (requests) => send(SEND_HOST, requests),
    pod: (requests) => send(SEND_POD, requests),
    mark(label) {
      record(MARK, labels.length);
      labels.push(label);
    },
    labels,
    get bytes() {
      return Buffer.concat(chunks);
    },
  };
}

/** By the C program at `tool`, whose files go into `folder`. */
export function createReplay(tool: string, folder: string): Replay {
  return async (script, { host, pods = [] }) => {
    const file = join(folder, `script-${serial++}`);
    await writeFile(file, script.bytes);
    const { stdout } = await execute(tool, [file, String(FIRST_FD), host, ...pods], { maxBuffer: 1 << 24 });
    await rm(file);
    const times = new Map<string, number[]>();
    for (const line of stdout.trim().split("\n")) {
      const [number, nanoseconds] = line.split(" ").map(Number);
      const label = script.labels[number as number] as string;
      times.set(label, [...(times.get(label) ?? []), (nanoseconds as number) / 1e6]);
    }
    return times;
  };
}
