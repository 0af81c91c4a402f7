import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { formatAddress, parseAddress } from "../../ip/address.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { createFreedLog, type FreedAddress } from "./freed-log.ts";

const text = (freed: readonly FreedAddress[]) => freed.map(({ address, at }) => `${at} ${formatAddress(address)}`);

test("what was appended is there in the next life, each address once, in order", async () => {
  await using directory = await createTemporaryDirectory("coil-freed-");
  const file = join(directory.path, "coild.freed");
  let time = 100;
  const open = () => createFreedLog(file, { log: createSilentLogger(), now: () => time });
  const first = open();
  assert.deepEqual(await first.load(), []);
  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.1"]) {
    first.append([parseAddress(address), parseAddress("fd00::1")]);
    time += 10;
  }
  await first.settled();
  assert.deepEqual(text(await open().load()), ["110 10.0.0.2", "120 10.0.0.1", "120 fd00::1"]);
  assert.equal(await readFile(file, "utf8"), "110 10.0.0.2\n120 10.0.0.1\n120 fd00::1\n");
});

test("lines that cannot be read are skipped", async () => {
  await using directory = await createTemporaryDirectory("coil-freed-");
  const file = join(directory.path, "coild.freed");
  await writeFile(file, "5 10.0.0.1\nx 10.0.0.2\n7 nothing\n\n9\n6 fd00::2\n8 10.0.");
  const log = createFreedLog(file, { log: createSilentLogger(), now: () => 0 });
  assert.deepEqual(text(await log.load()), ["5 10.0.0.1", "6 fd00::2"]);
});

test("the file does not grow without end", async () => {
  await using directory = await createTemporaryDirectory("coil-freed-");
  const file = join(directory.path, "coild.freed");
  const log = createFreedLog(file, { log: createSilentLogger(), now: () => 1 });
  const many = Array.from({ length: 1000 }, (_, i) => ({ family: "ipv4", value: BigInt(i) }) as const);
  for (let i = 0; i < 20; i++) log.append(many);
  await log.settled();
  assert.ok((await readFile(file, "utf8")).split("\n").length < 10_000);
});

test("a file that cannot be written does no harm", async () => {
  const log = createFreedLog("/proc/nothing/coild.freed", { log: createSilentLogger(), now: () => 1 });
  assert.deepEqual(await log.load(), []);
  log.append([parseAddress("10.0.0.1")]);
  await log.settled();
});
