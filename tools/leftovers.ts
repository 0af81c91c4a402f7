import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What a run may leave behind on the machine: named network namespaces, links, and processes without a parent. */
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
  return [
    ...namedNamespaces().map((name) => `the network namespace ${name}`),
    ...links().map((name) => `the link ${name}`),
    ...orphans().map(({ pid, command }) => `the process ${pid}: ${command}`),
  ];
}

/** Processes of this checkout, and control planes, that lost the process that started them. */
function orphans(): { pid: string; command: string }[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid)) return [];
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim().slice(0, 200);
      const ours = command.includes(`${process.cwd()}/`) || command.includes("/control-plane ");
      return parent === "1" && ours ? [{ pid, command }] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
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
