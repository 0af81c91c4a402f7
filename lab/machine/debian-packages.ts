import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program or file that must be there, and the Debian package that brings it. */
export interface Need {
  /** A command on PATH (`nft`) or an absolute path (`/usr/lib/cni/portmap`). */
  readonly file: string;
  readonly package: string;
}

/**
 * Installs the Debian packages whose files are missing. Does nothing, and asks nobody, when all are there.
 * Throws an Error that says what to install when this is not Debian, not root, or apt fails.
 */
export function ensureDebianPackages(needs: readonly Need[], log: (line: string) => void): void {
  const missing = needs.filter(({ file }) => !isThere(file));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  const wanted = `${missing.map(({ file }) => file).join(", ")} (Debian packages: ${packages.join(" ")})`;
  if (!isDebian()) throw new Error(`Missing: ${wanted}. Install them with this system's package manager, then run this again.`);
  if (process.getuid?.() !== 0) throw new Error(`Missing: ${wanted}. Run this as root, or install them with apt-get.`);
  log(`installing Debian packages: ${packages.join(" ")}`);
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...packages];
  if (apt(install) === 0) return;
  // A fresh machine has no package lists yet.
  log("fetching Debian's package lists (apt-get update)");
  apt(["update", "-qq"]);
  if (apt(install) !== 0) throw new Error(`apt-get could not install ${packages.join(" ")}; its output is above.`);
}

/** Whether a command is on PATH (sbin folders included) or an absolute path exists. */
export function isThere(file: string): boolean {
  if (file.startsWith("/")) return existsSync(file);
  const folders = (process.env["PATH"] ?? "").split(delimiter).concat("/usr/sbin", "/sbin");
  return folders.some((folder) => existsSync(join(folder, file)));
}

function isDebian(): boolean {
  return (
    existsSync("/etc/debian_version") ||
    (existsSync("/etc/os-release") && /^ID(_LIKE)?=.*debian/m.test(readFileSync("/etc/os-release", "utf8")))
  );
}

/** Quiet unless it fails: then what apt said is what the reader needs. Services of the packages are not started. */
function apt(args: readonly string[]): number {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const { status, stdout, stderr } = spawnSync("apt-get", args, { env, encoding: "utf8" });
  if (status !== 0) process.stderr.write(`${stdout}${stderr}`);
  return status ?? 1;
}
