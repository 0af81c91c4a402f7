import assert from "node:assert/strict";
import { test } from "node:test";
import { type Command, parseCommand, UsageError } from "./parse.ts";

const CASES: readonly (readonly [line: string, command: Command])[] = [
  ["", { kind: "help" }],
  ["up --help", { kind: "help" }],
  ["up", { kind: "up", options: {}, download: false }],
  ["up --nodes 5 --family=ipv6", { kind: "up", options: { nodes: 5, family: "ipv6" }, download: false }],
  ["down --force", { kind: "down", force: true }],
  ["status --json", { kind: "status", json: true }],
  ["kubectl -- get pods -A --help", { kind: "kubectl", argv: ["get", "pods", "-A", "--help"] }],
  ["kubectl get pods -A", { kind: "kubectl", argv: ["get", "pods", "-A"] }],
  ["kubectl -- exec p -- ls", { kind: "kubectl", argv: ["exec", "p", "--", "ls"] }],
  ["exec coil-worker -- ip -6 route", { kind: "exec", node: "coil-worker", argv: ["ip", "-6", "route"] }],
  ["pod-exec default/web-0 -- hostname", { kind: "pod-exec", namespace: "default", pod: "web-0", argv: ["hostname"] }],
  ["outside -- ping -c1 172.30.0.2", { kind: "outside", argv: ["ping", "-c1", "172.30.0.2"] }],
  ["logs coil-worker coild", { kind: "logs", node: "coil-worker", program: "coild", follow: false, tail: "+1" }],
  ["logs -f coil-worker coild --tail 20", { kind: "logs", node: "coil-worker", program: "coild", follow: true, tail: "20" }],
  ["kill coil-worker coild", { kind: "kill", node: "coil-worker", program: "coild", signal: "SIGTERM" }],
  ["kill coil-worker coild --signal KILL", { kind: "kill", node: "coil-worker", program: "coild", signal: "SIGKILL" }],
  ["kill coil-worker coild -s 19", { kind: "kill", node: "coil-worker", program: "coild", signal: "SIGSTOP" }],
  ["start coil-worker coild", { kind: "start", node: "coil-worker", program: "coild" }],
];

for (const [line, command] of CASES) {
  test(`\`parseCommand()\` reads "coil-lab ${line}"`, () => {
    assert.deepEqual(parseCommand(line.split(" ").filter(Boolean)), command);
  });
}

const REFUSED: readonly (readonly [line: string, message: RegExp])[] = [
  ["fly", /no command fly/],
  ["up --nodes 0", /--nodes 0 is not a number from 1 to/],
  ["up --nodes three", /--nodes three/],
  ["up --family both", /--family both is none of ipv4, ipv6, dual/],
  ["up now", /want coil-lab up, not now/],
  ["down --all", /Unknown option '--all'/],
  ["exec coil-worker", /say what to run behind --/],
  ["exec -- ip addr", /want coil-lab exec NODE/],
  ["pod-exec web-0 -- ls", /web-0 is not NAMESPACE\/POD/],
  ["kill coil-worker", /want coil-lab kill NODE PROGRAM/],
  ["kill coil-worker coild --signal HARD", /HARD is no signal/],
  ["logs coil-worker coild --tail many", /--tail many/],
];

for (const [line, message] of REFUSED) {
  test(`\`parseCommand()\` refuses "coil-lab ${line}"`, () => {
    assert.throws(
      () => parseCommand(line.split(" ")),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}
