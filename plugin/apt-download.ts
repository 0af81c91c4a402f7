import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReleaseChange, type SourcesFile, sourcesOfRelease } from "./apt-sources.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

/**
 * Downloads packages of a release with apt, which checks their signatures, and unpacks them into `folder`. Neither the installed packages nor
 * the lists of this machine are touched. Throws an `Error` that says what to do.
 */
export async function unpackPackages(
  { packages, release, folder }: { packages: readonly string[]; release: ReleaseChange; folder: string },
  options: CommandOptions = {},
): Promise<void> {
  const sources = sourcesOfRelease(await readSources(), release);
  if (sources.length === 0) {
    throw new Error(`None of the package sources in /etc/apt is for ${release.from}, so that of ${release.to} is not known`);
  }
  const work = await mkdtemp(join(tmpdir(), "coil-apt-"));
  try {
    const config = await writeConfig(work, sources);
    await runCommand("apt-get", ["-c", config, "-q", "update"], options);
    await runCommand("apt-get", ["-c", config, "-q", "download", ...packages], { ...options, cwd: join(work, "packages") });
    for (const name of await readdir(join(work, "packages"))) {
      await runCommand("dpkg-deb", ["-x", join(work, "packages", name), folder], options);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readSources(): Promise<SourcesFile[]> {
  const parts = await readdir("/etc/apt/sources.list.d").catch(() => []);
  const names = parts.filter((name) => /\.(list|sources)$/.test(name)).map((name) => `/etc/apt/sources.list.d/${name}`);
  const files = ["/etc/apt/sources.list", ...names].map(async (path) => ({
    name: path.slice(path.lastIndexOf("/") + 1),
    text: await readFile(path, "utf8").catch(() => ""),
  }));
  return Promise.all(files);
}

/** A configuration that adds to the machine's own (proxies and the like stay) and keeps all state below `work`. */
async function writeConfig(work: string, sources: readonly SourcesFile[]): Promise<string> {
  for (const folder of ["sources", "lists/partial", "cache/archives/partial", "packages"]) {
    await mkdir(join(work, folder), { recursive: true });
  }
  for (const { name, text } of sources) await writeFile(join(work, "sources", name), text);
  await writeFile(join(work, "status"), "");
  const path = join(work, "apt.conf");
  await writeFile(
    path,
    `#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "${work}/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "${work}/lists";
Dir::State::Status "${work}/status";
Dir::Cache "${work}/cache";
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
`,
  );
  return path;
}
