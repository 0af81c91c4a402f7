/** `npm run lab [-- --keep]`: a cluster, pods with addresses from pools that talk to each other, and all of it away again. */
import { enableCompileCache } from "node:module";
import { compileCache } from "./cluster/caches.ts";

enableCompileCache(compileCache());
// Only now, so that the rest comes out of that cache.
const { main } = await import("./demo/main.ts");
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
