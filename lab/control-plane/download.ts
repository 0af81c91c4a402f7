import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** An archive of released binaries. */
export interface Archive {
  readonly url: string;
  /** `sha256:…` or `sha512:…` in hexadecimal, as published with the release. */
  readonly digest: string;
  /** Paths in the archive of the programs to take out. */
  readonly programs: readonly string[];
}

/** The Kubernetes release that the digests below belong to; the same as in go.mod. */
const KUBERNETES = "v1.35.4";
const ETCD = "v3.6.5";
const PROGRAMS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"];
const PROGRESS_MS = 15_000;

const DIGESTS = {
  amd64: {
    kubernetes:
      "sha512:7454c2d9023de3230972e965e1e2a587a291e2a1abee703bb0737057e1646b23ebac538b93dd778e93579e3c293dc1fa8d002e6848ad5ebc01598bc47358fe44",
    etcd: "sha256:66bad39ed920f6fc15fd74adcb8bfd38ba9a6412f8c7852d09eb11670e88cac3",
  },
  arm64: {
    kubernetes:
      "sha512:67187a2fe780be7816f9d10e082ed02cbba306bab379980280d00ba4c4017ff53c50cd2ff81d248c91ddcc064276b8760e17c73a1a7da1d35067a6fc0ffbdc88",
    etcd: "sha256:7010161787077b07de29b15b76825ceacbbcedcb77fe2e6832f509be102cab6b",
  },
} as const;

/** The archives of the release that go.mod names. Throws an `Error` for a processor or a version without known digests. */
export function releasedArchives(kubernetes: string, arch: string): Archive[] {
  const name = { x64: "amd64", arm64: "arm64" }[arch] as keyof typeof DIGESTS | undefined;
  if (!name)
    throw new Error(`There are no released binaries for ${arch} that we know digests of: build the control plane with Go`);
  if (kubernetes !== KUBERNETES)
    throw new Error(`The digests in download.ts are those of Kubernetes ${KUBERNETES}, go.mod says ${kubernetes}`);
  return [
    {
      url: `https://dl.k8s.io/${KUBERNETES}/kubernetes-server-linux-${name}.tar.gz`,
      digest: DIGESTS[name].kubernetes,
      programs: PROGRAMS.map((program) => `kubernetes/server/bin/${program}`),
    },
    {
      url: `https://github.com/etcd-io/etcd/releases/download/${ETCD}/etcd-${ETCD}-linux-${name}.tar.gz`,
      digest: DIGESTS[name].etcd,
      programs: [`etcd-${ETCD}-linux-${name}/etcd`],
    },
  ];
}

export interface DownloadOptions {
  readonly archives: readonly Archive[];
  /** The launcher to make; the programs go into the directory `bin` beside it. */
  readonly binary: string;
  readonly directory: string;
  readonly version: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Fetches the archives, checks their digests before anything in them is used, and makes a launcher with the command line of the built binary. */
export async function downloadControlPlane(options: DownloadOptions): Promise<void> {
  const { archives, binary, directory, version } = options;
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true });
  for (const archive of archives) {
    const file = join(directory, "download.tar.gz");
    try {
      await fetchArchive(archive, file, options);
      await extract(file, archive, bin);
    } finally {
      await rm(file, { force: true });
    }
  }
  const script = `#!/bin/sh
# Released programs behind the command line of the binary that main.go makes.
program=$1
shift
if [ "$program" = version ]; then echo ${version}; exit; fi
exec "$(dirname "$(readlink -f "$0")")/bin/$program" "$@"
`;
  await writeFile(`${binary}.new`, script);
  await chmod(`${binary}.new`, 0o755);
  await rename(`${binary}.new`, binary);
}

async function fetchArchive({ url, digest }: Archive, path: string, { log, signal }: DownloadOptions): Promise<void> {
  log(`Downloading ${url}`);
  const response = await fetch(url, signal ? { signal } : {}).catch((cause: unknown) => {
    throw new Error(`Cannot download ${url}`, { cause });
  });
  if (!response.ok || !response.body) throw new Error(`Cannot download ${url}: HTTP status ${response.status}`);
  const [algorithm = "", expected] = digest.split(":");
  const hash = createHash(algorithm);
  let bytes = 0;
  const progress = setInterval(() => log(`  ${Math.round(bytes / 1e6)} MB`), PROGRESS_MS);
  try {
    await using file = await open(path, "w");
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
  } finally {
    clearInterval(progress);
  }
  const found = hash.digest("hex");
  if (found !== expected) throw new Error(`${url} has the ${algorithm} digest ${found} instead of ${expected}: it is not used`);
}

async function extract(file: string, { url, programs }: Archive, bin: string): Promise<void> {
  const strip = String((programs[0]?.split("/").length ?? 1) - 1);
  const child = spawn("tar", ["-xzf", file, "-C", bin, "--strip-components", strip, ...programs], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`Cannot unpack ${url}: ${errors.trim()}`);
}
