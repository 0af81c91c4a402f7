import assert from "node:assert/strict";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { createTemporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { realClock } from "../../kube/clock.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { type DelIntent, formatIntent, intentFileName } from "../../rpc/intent.ts";
import { createIntentFolder } from "./intent-folder.ts";

const intentOf = (containerId: string): DelIntent => ({
  ...{ containerId, ifname: "eth0", args: {}, network: "net", at: "2026-01-01T00:00:00Z" },
});

async function folderWith(...containerIds: string[]) {
  const directory = await createTemporaryDirectory("coil-intents-");
  const path = join(directory.path, "pending");
  const folder = createIntentFolder(path, { log: createSilentLogger(), clock: realClock });
  if (containerIds.length > 0) await (await import("node:fs/promises")).mkdir(path);
  const leave = (id: string) => writeFile(join(path, intentFileName(intentOf(id))), formatIntent(intentOf(id)));
  for (const id of containerIds) await leave(id);
  return { folder, path, leave, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

test("intents are handed over one by one; what fails stays, what cannot be read goes", async () => {
  await using setting = await folderWith("a", "b");
  const { folder, path } = setting;
  await writeFile(join(path, "c:eth0.json"), "{");
  await writeFile(join(path, "d:eth0.json"), formatIntent(intentOf("other")));
  await writeFile(join(path, ".new.1"), "half");
  await writeFile(join(path, ".old.1"), "half");
  await utimes(join(path, ".old.1"), new Date(0), new Date(0));
  const seen: string[] = [];
  await folder.replayAll(async (intent) => {
    seen.push(intent.containerId);
    if (intent.containerId === "a") throw new Error("not yet");
    folder.remove(intent);
  });
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual((await readdir(path)).sort(), [".new.1", "a:eth0.json"]);
  assert.deepEqual([await folder.has(intentOf("a")), await folder.has(intentOf("b"))], [true, false]);
});

test("a folder that is not there has no intents", async () => {
  await using setting = await folderWith();
  await setting.folder.replayAll(() => assert.fail("there is none"));
  setting.folder.remove(intentOf("a"));
});

test("run() makes the folder, and carries out what appears in it soon", async () => {
  await using setting = await folderWith();
  const stopping = new AbortController();
  const seen = new Set<string>();
  const ended = setting.folder.run(async (intent) => {
    seen.add(intent.containerId);
    setting.folder.remove(intent);
  }, stopping.signal);
  await eventually("the folder", 2_000, () => readdir(setting.path).catch(() => undefined));
  for (const id of ["a", "b", "c"]) {
    await setting.leave(id);
    await eventually(`intent ${id}`, 3_000, async () => seen.has(id));
  }
  stopping.abort();
  await ended;
});
