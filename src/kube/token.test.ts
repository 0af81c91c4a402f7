import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { createTemporaryDirectory } from "../../test/support/temporary-directory.ts";
import { createTokenSource } from "./token.ts";

test("a token file is read again after a minute and when the server refused what it held", async () => {
  await using directory = await createTemporaryDirectory("coil-token-");
  const path = join(directory.path, "token");
  const clock = createFakeClock();
  const source = createTokenSource({ kind: "token-file", path }, clock);
  await writeFile(path, "one\n");
  assert.equal(await source.current(), "one");
  await writeFile(path, "two\n");
  assert.equal(await source.current(), "one");
  assert.deepEqual([await source.renew("one"), await source.current(), await source.renew("two")], [true, "two", false]);
  await writeFile(path, "three\n");
  await clock.advance(61_000);
  assert.equal(await source.current(), "three");
});

test("a token file that is away or empty for a moment does not end what works", async () => {
  await using directory = await createTemporaryDirectory("coil-token-");
  const path = join(directory.path, "token");
  const source = createTokenSource({ kind: "token-file", path }, createFakeClock());
  await assert.rejects(source.current(), /Cannot read a token from/);
  await writeFile(path, "one");
  assert.equal(await source.current(), "one");
  await writeFile(path, "");
  assert.deepEqual([await source.renew("one"), await source.current()], [false, "one"]);
  await rm(path);
  assert.deepEqual([await source.renew("one"), await source.current()], [false, "one"]);
});
