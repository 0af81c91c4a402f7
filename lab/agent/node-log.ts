import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { createLogger, type Logger } from "../../src/observe/logger.ts";
import { programLog } from "../cluster/layout.ts";

/** A logger that writes where `coil-lab logs NODE kubelet` reads. */
export function openNodeLog(node: string): Logger {
  const path = programLog(node, "kubelet");
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a", 0o644);
  return createLogger({ name: "kubelet", destination: { write: (line: string) => void writeSync(file, line) } }).child({ node });
}
