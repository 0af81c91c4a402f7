import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { test } from "node:test";
import { KernelError, kernelErrorFrom } from "./kernel-error.ts";
import { errnoName, errnoOf } from "./syscall/errno.ts";

test("`errnoName()` gives the names of the kernel's sources", () => {
  assert.deepStrictEqual([1, 2, 11, 17, 19, 35, 95, 101, 105, 524, 4000].map(errnoName), [
    "EPERM",
    "ENOENT",
    "EAGAIN",
    "EEXIST",
    "ENODEV",
    "EDEADLK",
    "EOPNOTSUPP",
    "ENETUNREACH",
    "ENOBUFS",
    "ENOTSUPP",
    "E4000",
  ]);
});

test("`errnoOf()` is the inverse, and refuses names that do not exist", () => {
  assert.equal(errnoOf("EEXIST"), 17);
  assert.throws(() => errnoOf("EFOO"), RangeError);
});

test("`kernelErrorFrom()` turns failures of node:fs into KernelErrors and leaves the rest alone", () => {
  let failure: unknown;
  try {
    openSync("/nonexistent/file", "r");
  } catch (error) {
    failure = kernelErrorFrom("open a file", error);
  }
  assert.ok(failure instanceof KernelError);
  assert.deepStrictEqual([failure.code, failure.errno, failure.operation], ["ENOENT", 2, "open a file"]);
  assert.equal(failure.message, "Cannot open a file: no such file or directory (ENOENT)");
  assert.ok(failure.cause instanceof Error);

  const other = new Error("other");
  assert.equal(kernelErrorFrom("x", other), other);
  assert.equal(kernelErrorFrom("x", failure), failure);
});
