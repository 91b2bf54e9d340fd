/** How the program ends. Ends by a signal are 128 and its number. */
export const exitCode = {
  ok: 0,
  /** It was tried, and it failed. */
  failed: 1,
  /** The command line or the configuration cannot be used. */
  usage: 2,
  /** `diff`: the new configuration accepts more than the old one. */
  loosened: 2,
} as const;
