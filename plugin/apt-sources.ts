/** The machine's package sources, turned to another release. Formats: sources.list(5). */

/** A file for a folder of apt sources. */
export interface SourcesFile {
  /** Ends with `.list` or `.sources`, by which apt tells the formats apart. */
  readonly name: string;
  readonly text: string;
}

/** What to look for and what to put in its place: `{from: "bookworm", to: "trixie"}`. */
export interface ReleaseChange {
  readonly from: string;
  readonly to: string;
}

/**
 * The entries that bring the main packages of release `from`, changed to release `to`; hosts, keys and options stay as they are. Updates,
 * security and backports are left out: their suites have other names.
 */
export function sourcesOfRelease(files: readonly SourcesFile[], change: ReleaseChange): SourcesFile[] {
  return files.flatMap(({ name, text }) => {
    const changed = name.endsWith(".sources") ? changeStanzas(text, change) : changeLines(text, change);
    return changed === "" ? [] : [{ name, text: changed }];
  });
}

/** `deb [options] uri suite components`, one entry a line. */
function changeLines(text: string, { from, to }: ReleaseChange): string {
  const changed = text.split("\n").flatMap((line) => {
    const match = /^(\s*deb\s+(?:\[[^\]]*\]\s+)?)(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match || match[3] !== from || isCdrom(match[2] as string)) return [];
    return [`${(match[1] as string).trim()} ${match[2]} ${to} ${(match[4] as string).trim()}\n`];
  });
  return changed.join("");
}

/** deb822: stanzas of `Field: value`, whose values go on in lines that begin with a blank. */
function changeStanzas(text: string, change: ReleaseChange): string {
  const withoutComments = text.split("\n").filter((line) => !line.startsWith("#"));
  const stanzas = withoutComments.join("\n").split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => changeStanza(stanza, change)).join("\n");
}

function changeStanza(stanza: string, { from, to }: ReleaseChange): string[] {
  const fields = [...stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)$/gm)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  const words = (wanted: string) => {
    const value = fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
    return value.split(/\s+/).filter((word) => word !== "");
  };
  const enabled = !["no", "false", "off", "0"].includes(words("enabled")[0]?.toLowerCase() ?? "yes");
  const uris = words("uris").filter((uri) => !isCdrom(uri));
  if (!enabled || uris.length === 0 || !words("types").includes("deb") || !words("suites").includes(from)) return [];
  const replaced = new Map([
    ["types", "deb"],
    ["suites", to],
    ["uris", uris.join(" ")],
  ]);
  return [fields.map(([name, value]) => `${name}: ${(replaced.get(name.toLowerCase()) ?? value).trimStart()}\n`).join("")];
}

function isCdrom(uri: string): boolean {
  return uri.startsWith("cdrom:");
}
