import assert from "node:assert/strict";
import { test } from "node:test";
import { endsPrograms, parseSignal } from "./signals.ts";

test("`parseSignal()` takes names with and without SIG, and numbers", () => {
  assert.deepEqual(["KILL", "sigterm", "19", "Hup"].map(parseSignal), ["SIGKILL", "SIGTERM", "SIGSTOP", "SIGHUP"]);
  for (const text of ["", "HARD", "0", "99"]) assert.throws(() => parseSignal(text), SyntaxError);
});

test("`endsPrograms()` knows the signals after which a program is still there", () => {
  assert.equal(endsPrograms("SIGKILL"), true);
  assert.equal(endsPrograms("SIGTERM"), true);
  assert.equal(endsPrograms("SIGSTOP"), false);
  assert.equal(endsPrograms("SIGCONT"), false);
});
