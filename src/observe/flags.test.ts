import assert from "node:assert/strict";
import { test } from "node:test";
import {
  booleanFlag,
  checkedTextFlag,
  durationFlag,
  flagsHelp,
  ignoredFlag,
  integerFlag,
  parseFlags,
  textFlag,
} from "./flags.ts";
import { parseListenAddress } from "./listen-address.ts";

const FLAGS = {
  "metrics-addr": checkedTextFlag(":9386", "where metrics are served", parseListenAddress),
  "gc-interval": durationFlag("1h", "time between two scans"),
  "protocol-id": integerFlag(30, "route protocol", { min: 1, max: 255 }),
  "enable-ipam": booleanFlag(true, "hand out addresses"),
  backend: textFlag("iptables", "firewall", { choices: ["iptables", "nftables"] }),
  "zap-stacktrace-level": ignoredFlag("stacks"),
  "zap-devel": ignoredFlag("development", { isBoolean: true }),
};
const DEFAULTS = {
  "metrics-addr": ":9386",
  "gc-interval": 3_600_000,
  "protocol-id": 30,
  "enable-ipam": true,
  backend: "iptables",
  "zap-stacktrace-level": "",
  "zap-devel": "",
};

test("parseFlags() gives the defaults for an empty list", () => {
  assert.deepStrictEqual(parseFlags(FLAGS, []), { kind: "values", values: DEFAULTS, ignored: [] });
});

test("parseFlags() reads every way to write a flag, and the last one wins", () => {
  const argv = [
    "--gc-interval",
    "5m",
    "-protocol-id=2",
    "--enable-ipam=false",
    "--backend=iptables",
    "--backend",
    "nftables",
    "--metrics-addr=0",
  ];
  const values = {
    ...DEFAULTS,
    "gc-interval": 300_000,
    "protocol-id": 2,
    "enable-ipam": false,
    backend: "nftables",
    "metrics-addr": "0",
  };
  assert.deepStrictEqual(parseFlags(FLAGS, argv), { kind: "values", values, ignored: [] });
});

test("parseFlags() tells which flags it ignores", () => {
  const parsed = parseFlags(FLAGS, ["--zap-stacktrace-level=panic", "--zap-devel", "--enable-ipam"]);
  assert.deepStrictEqual(parsed.kind === "values" && parsed.ignored, ["zap-stacktrace-level", "zap-devel"]);
});

test("parseFlags() says what is wrong and what would be right", () => {
  const problemOf = (...argv: string[]) => {
    const parsed = parseFlags(FLAGS, argv);
    return parsed.kind === "invalid" ? parsed.problem : parsed.kind;
  };
  assert.deepStrictEqual(
    [
      problemOf("--no-such"),
      problemOf("--toString=1"),
      problemOf("extra"),
      problemOf("--gc-interval"),
      problemOf("--gc-interval=soon"),
      problemOf("--protocol-id=256"),
      problemOf("--protocol-id="),
      problemOf("--enable-ipam=maybe"),
      problemOf("--backend=pf"),
      problemOf("--metrics-addr=9386"),
      problemOf("--backend=pf", "--help"),
      problemOf("-h"),
      problemOf("--version"),
    ],
    [
      "unknown flag --no-such",
      "unknown flag --toString",
      'unexpected argument "extra"',
      "flag --gc-interval needs a value",
      'flag --gc-interval: Cannot parse "soon" as a duration, for example 90s, 5m or 1h30m',
      'flag --protocol-id: want a number from 1 to 255, not "256"',
      'flag --protocol-id: want a number from 1 to 255, not ""',
      'flag --enable-ipam: want true or false, not "maybe"',
      'flag --backend: want one of iptables, nftables, not "pf"',
      'flag --metrics-addr: Cannot parse "9386" as a listen address, for example :9386 or 127.0.0.1:9386',
      'flag --backend: want one of iptables, nftables, not "pf"',
      "help",
      "version",
    ],
  );
});

test("flagsHelp() shows each flag with its default, and the ignored ones by name", () => {
  const help = flagsHelp("coil-x", "Does x.", FLAGS);
  assert.match(help, /^Does x\.\n\nUsage: coil-x \[flags\]\n/);
  assert.match(help, /--gc-interval duration +time between two scans \(default 1h\)/);
  assert.match(help, /Accepted without effect: --zap-stacktrace-level, --zap-devel\n$/);
});
