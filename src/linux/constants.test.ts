import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as netlink from "./netlink/constants.ts";
import type { FieldType, Struct } from "./netlink/struct.ts";
import * as route from "./route/constants.ts";
import * as structs from "./route/structs.ts";
import * as system from "./syscall/constants.ts";

/** In this order: the C library's headers first, so that linux' own leave out what those define. */
const HEADERS = [
  "stdio.h",
  "stddef.h",
  "stdint.h",
  "fcntl.h",
  "sched.h",
  "sys/socket.h",
  "linux/if.h",
  "linux/nsfs.h",
  "linux/netlink.h",
  "linux/rtnetlink.h",
  "linux/if_link.h",
  "linux/if_addr.h",
  "linux/fib_rules.h",
  "linux/neighbour.h",
  "linux/net_namespace.h",
  "linux/veth.h",
  "linux/ip.h",
];

const constants: Readonly<Record<string, number>> = { ...system, ...netlink, ...route };

type AnyStruct = Struct<Readonly<Record<string, FieldType>>>;

test("constants have the values of the C headers", () => {
  const names = Object.keys(constants);
  const lines = printed(names.map((name) => `printf("%llu\\n", (unsigned long long)(uint32_t)(${name}));`));
  // The header's mask is ~0xc000, of a width that only matters to C.
  const ours = names.map((name) => [name, constants[name]]);
  const theirs = names.map((name, i) => [name, name === "NLA_TYPE_MASK" ? Number(lines[i]) & 0xffff : Number(lines[i])]);
  assert.deepStrictEqual(ours, theirs);
});

test("structures have the sizes and offsets of the C headers", () => {
  const all = Object.values(structs) as unknown as AnyStruct[];
  const facts = all.flatMap((struct) => [
    { what: `sizeof(struct ${struct.name})`, ours: struct.size },
    ...Object.keys(struct.fields).map((field) => ({
      what: `offsetof(struct ${struct.name}, ${field})`,
      ours: struct.offsetOf(field),
    })),
    ...Object.entries(struct.fields).map(([field, type]) => ({
      what: `sizeof(((struct ${struct.name} *)0)->${field})`,
      ours: Number(type.slice(1)) / 8,
    })),
  ]);
  const lines = printed(facts.map(({ what }) => `printf("%zu\\n", ${what});`));
  assert.deepStrictEqual(
    facts.map(({ what, ours }) => [what, ours]),
    facts.map(({ what }, i) => [what, Number(lines[i])]),
  );
});

/** What a C program prints that consists of these statements. */
function printed(statements: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), "coil-constants-"));
  try {
    const source = join(directory, "constants.c");
    const program = join(directory, "constants");
    const includes = HEADERS.map((header) => `#include <${header}>`);
    writeFileSync(source, ["#define _GNU_SOURCE", ...includes, "int main(void) {", ...statements, "return 0; }", ""].join("\n"));
    execFileSync("cc", ["-o", program, source], { stdio: ["ignore", "ignore", "pipe"] });
    return execFileSync(program, { encoding: "utf8" }).trimEnd().split("\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
}
