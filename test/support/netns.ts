import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createNetNamespace, type NetNamespace } from "../../src/linux/netns/namespace.ts";

const run = promisify(execFile);

/** A network namespace of a test, with the means that an operator has: real programs that run in it. Needs root. */
export interface TestNamespace extends AsyncDisposable, Disposable {
  readonly ns: NetNamespace;
  /** A path that other processes can open as long as this one lives; usable as CNI_NETNS. */
  readonly path: string;
  /**
   * Runs `ip` with arguments separated by blanks. Returns what it printed, without the blanks at the ends of lines. Rejects when
   * it fails.
   */
  ip(args: string): Promise<string>;
  /** Runs a program. As `ip`. */
  exec(program: string, ...args: string[]): Promise<string>;
}

/** A new namespace with `lo` up. It has no name, and vanishes with the test. */
export async function createTestNamespace(): Promise<TestNamespace> {
  if (process.getuid?.() !== 0) throw new Error("Kernel tests make network namespaces, for which they must run as root");
  const ns = createNetNamespace();
  const path = `/proc/${process.pid}/fd/${ns.fd}`;
  async function exec(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run("nsenter", [`--net=${path}`, program, ...args]);
    return stdout.replace(/[ \t]+$/gm, "").trimEnd();
  }
  const space: TestNamespace = {
    ns,
    path,
    exec,
    ip: (args) => exec("ip", ...args.split(" ").filter((word) => word !== "")),
    [Symbol.dispose]: () => ns[Symbol.dispose](),
    [Symbol.asyncDispose]: async () => ns[Symbol.dispose](),
  };
  await space.ip("link set lo up");
  return space;
}
