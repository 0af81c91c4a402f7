import assert from "node:assert/strict";
import test from "node:test";
import { sourcesOfRelease } from "./apt-sources.ts";

const change = { from: "bookworm", to: "trixie" };
const convert = (name: string, text: string) =>
  sourcesOfRelease([{ name, text }], change)
    .map((file) => file.text)
    .join("---\n");

test("sourcesOfRelease() turns one-line entries of the release, and leaves out those of other suites", () => {
  const text = `# deb https://commented.example/debian bookworm main
deb https://mirror.example/debian bookworm main contrib # local
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian/ bookworm main
deb-src https://mirror.example/debian bookworm main
deb https://mirror.example/debian bookworm-updates main
deb https://mirror.example/security bookworm-security main
deb cdrom:[Debian 12]/ bookworm main
deb https://packages.example/apt sdk-bookworm main
`;
  assert.equal(
    convert("sources.list", text),
    `deb https://mirror.example/debian trixie main contrib
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian/ trixie main
`,
  );
});

test("sourcesOfRelease() turns deb822 stanzas, with keys that are part of them", () => {
  const text = `Types: deb deb-src
# a snapshot was here
URIs: https://mirror.example/debian
 https://other.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://off.example/debian
Suites: bookworm
Components: main
Enabled: no
`;
  assert.equal(
    convert("debian.sources", text),
    `Types: deb
URIs: https://mirror.example/debian https://other.example/debian
Suites: trixie
Components: main
Signed-By: -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
`,
  );
});

test("sourcesOfRelease() answers nothing where no entry is of the release", () => {
  assert.deepEqual(
    sourcesOfRelease(
      [
        { name: "a.list", text: "deb http://x.example noble main\n" },
        { name: "b.sources", text: "" },
      ],
      change,
    ),
    [],
  );
});
