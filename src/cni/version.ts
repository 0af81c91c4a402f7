/** A version of the CNI specification that this plugin speaks. */
export type CniVersion = "0.3.1" | "0.4.0" | "1.0.0" | "1.1.0";

/** All versions, oldest first. */
export const SUPPORTED_VERSIONS: readonly CniVersion[] = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/** The version whose shapes are used inside: see `CniResult`. */
export const NEWEST_VERSION: CniVersion = "1.1.0";

/** Whether the text is one of {@link SUPPORTED_VERSIONS}. */
export function isSupportedVersion(text: string): text is CniVersion {
  return (SUPPORTED_VERSIONS as readonly string[]).includes(text);
}

/** Whether `version` is `least` or newer. */
export function versionAtLeast(version: CniVersion, least: CniVersion): boolean {
  return SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(least);
}

/** The answer to VERSION: the version of the request is repeated, as the specification wants it. */
export function versionDocument(requested: string | undefined): { cniVersion: string; supportedVersions: readonly CniVersion[] } {
  return { cniVersion: requested ?? NEWEST_VERSION, supportedVersions: SUPPORTED_VERSIONS };
}
