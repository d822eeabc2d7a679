/** Where tests leave what a person wants to look at afterwards; below the repository's root. */
export const REPORTS = ".test-reports";
