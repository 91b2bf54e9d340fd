/** What this process runs on, as far as it decides which native binary can load. */

export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  readonly node: string;
  /** Version of Node's binary interface: 115 is Node 20, 127 is 22, 137 is 24. */
  readonly abi: string;
  /** Version of the C library that runs, as `2.36`; undefined outside of Linux and on musl. */
  readonly glibc: string | undefined;
}

/**
 * Describes this process.
 *
 * Cost: 5 ms on Linux, for Node's diagnostic report is the one place that knows the C library.
 */
export function currentPlatform(): Platform {
  return {
    os: process.platform,
    arch: process.arch,
    node: process.versions.node,
    abi: process.versions.modules,
    glibc: process.platform === 'linux' ? runningGlibc() : undefined,
  };
}

/** Says it in one line, for messages. */
export function platformText({ os, arch, node, abi, glibc }: Platform): string {
  const libc = os === 'linux' ? `, ${glibc === undefined ? 'musl' : `glibc ${glibc}`}` : '';
  return `${os} ${arch}${libc}, Node ${node} (ABI ${abi})`;
}

/** Compares versions such as `2.4` and `2.38` by their numbers. */
export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

function runningGlibc(): string | undefined {
  // Without this the report resolves the names of all peers first. (Missing in the types of Node 20.)
  const report = process.report as { excludeNetwork?: boolean; getReport(): object };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before ?? false;
  return header.glibcVersionRuntime;
}
