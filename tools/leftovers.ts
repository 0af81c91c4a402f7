import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

/** What a run may leave behind on the machine: named network namespaces and links. */
export interface Snapshot {
  /** What is there now and was not at the time of the snapshot, in words. Each is told once. */
  leftovers(): string[];
}

/** Remembers the namespaces and links of this machine, to compare with later. */
export function takeSnapshot(): Snapshot {
  const known = new Set(observe());
  return {
    leftovers() {
      const fresh = observe().filter((item) => !known.has(item));
      for (const item of fresh) known.add(item);
      return fresh;
    },
  };
}

function observe(): string[] {
  return [...namedNamespaces().map((name) => `the network namespace ${name}`), ...links().map((name) => `the link ${name}`)];
}

function namedNamespaces(): string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return [];
  }
}

function links(): string[] {
  try {
    const list = JSON.parse(execFileSync("ip", ["-j", "link", "show"], { encoding: "utf8" })) as { ifname: string }[];
    return list.map(({ ifname }) => ifname);
  } catch {
    // Without iproute2 nothing here can have made a link.
    return [];
  }
}
