#!/usr/bin/env -S sh -c 'd=$(dirname "$(readlink -f "$0")"); n=$d/../node_modules/.bin/node; [ -x "$n" ] || { echo "coil-lab: run npm ci first" >&2; exit 1; }; exec "$n" "$0" "$@"'
/** The command `coil-lab`: a whole cluster on one Linux machine, out of network namespaces. */
import { enableCompileCache } from "node:module";
import { compileCache } from "./cluster/caches.ts";

enableCompileCache(compileCache());
// Only now, so that the rest comes out of that cache.
const { main } = await import("./main.ts");
process.exitCode = await main(process.argv.slice(2));
