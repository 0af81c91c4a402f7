import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { COILD_FLAGS } from "../src/daemon/coild/flags.ts";
import { IPAM_CONTROLLER_FLAGS } from "../src/daemon/ipam-controller/flags.ts";
import type { FlagSet } from "../src/observe/flags.ts";
import { ROUTER_FLAGS } from "../src/router/flags.ts";

const operations = readFileSync("docs/operations.md", "utf8");

/** The part of the page about one program. */
function section(program: string): string {
  const [, text = ""] = operations.split(`### ${program}\n`);
  return text.split(/^##/m)[0] ?? "";
}

const PROGRAMS: Record<string, FlagSet> = {
  coild: COILD_FLAGS,
  "coil-ipam-controller": IPAM_CONTROLLER_FLAGS,
  "coil-router": ROUTER_FLAGS,
};

for (const [program, flags] of Object.entries(PROGRAMS)) {
  test(`docs/operations.md tells every flag of ${program}, with its default, and no other`, () => {
    const text = section(program);
    const told = new Set([...text.matchAll(/`--([a-z-]+)`/g)].map((match) => match[1] as string));
    assert.deepEqual([...told].sort(), Object.keys(flags).sort());
    for (const [name, flag] of Object.entries(flags)) {
      if (flag.ignored) continue;
      const row = new RegExp(`^\\| \`--${name}\` \\| \`?([^|\`]*)\`? \\|`, "m").exec(text);
      assert.equal(row?.[1]?.trim(), flag.show(flag.default), name);
    }
  });
}

test("docs/operations.md tells every metric, and no other", () => {
  const sources = globSync("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
  const made = new Set(sources.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/"(coil_[a-z_]+)"/g)].map((m) => m[1])));
  const told = new Set([...operations.matchAll(/`(coil_[a-z_]+)`/g)].map((match) => match[1]));
  assert.deepEqual([...told].sort(), [...made].sort());
});
