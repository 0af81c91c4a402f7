import assert from "node:assert/strict";
import { test } from "node:test";
import { apiErrorFrom, isApiError, isStaleVersion } from "./api-error.ts";

const status = (fields: object) => JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", ...fields });

test("an ApiError carries what the server's Status says", () => {
  const body = status({
    code: 409,
    reason: "Conflict",
    message: "the object has been modified",
    details: { name: "x", retryAfterSeconds: 3 },
  });
  const error = apiErrorFrom("PUT /x", { status: 409, body });
  assert.deepEqual(
    [
      error.message,
      error.status,
      error.reason,
      error.retryAfter,
      isApiError(error, "Conflict", "Gone"),
      isApiError(error, "Gone"),
      isApiError(error),
    ],
    ["PUT /x: the object has been modified", 409, "Conflict", 3, true, false, true],
  );
});

test("an answer that is no Status keeps its text", () => {
  const error = apiErrorFrom("GET /x", { status: 502, body: "<html>bad gateway</html>\n", retryAfter: "7" });
  assert.deepEqual(
    [error.message, error.status, error.reason, error.retryAfter],
    ["GET /x: <html>bad gateway</html>", 502, "", 7],
  );
  assert.equal(apiErrorFrom("GET /x", { status: 500, body: "" }).message, "GET /x: HTTP status 500");
});

test("isStaleVersion() is true for versions that are too old and for those that are too new", () => {
  const of = (code: number, fields: object) =>
    isStaleVersion(apiErrorFrom("GET /x", { status: code, body: status({ code, ...fields }) }));
  assert.deepEqual(
    [
      of(410, { reason: "Expired" }),
      of(410, { reason: "Gone" }),
      of(504, { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } }),
      of(504, { reason: "Timeout" }),
      isStaleVersion(new Error("x")),
    ],
    [true, true, true, false, false],
  );
});
