/** What a shell script learns from the exit code. Documented in the README. */
export const EXIT = {
  ok: 0,
  /** Definitely not done. */
  failed: 1,
  /** It may have taken effect, or may yet: look before you try again. */
  unknown: 2,
  /** The command line makes no sense (as in sysexits). */
  usage: 64,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
