/**
 * Scenario files: comments, and blocks of one command with what it led to.
 *
 *     # What a reader should know.
 *
 *     campaign 1
 *     ----
 *     1 leader of term 1, with the votes of 1, 2
 *
 * `README.md` lists the commands. What stands below the line is written by the runner.
 */
export interface Block {
  /** The comment above the command, line by line, as it stands. */
  readonly comment: readonly string[];
  /** Its words; empty for a comment at the end of the file. */
  readonly command: readonly string[];
}

const LINE = "----";

/** @throws Error naming the line that makes no sense. */
export function parseScenario(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let comment: string[] = [];
  let inOutput = false;
  let hasCommand = false;
  for (const [at, line] of text.split("\n").entries()) {
    if (inOutput) {
      if (line === "") inOutput = hasCommand = false;
    } else if (line === LINE && hasCommand) {
      inOutput = true;
    } else if (line.startsWith("#") || line === "") {
      comment.push(line);
    } else if (hasCommand) {
      throw new Error(`cannot read line ${at + 1}: expected ${LINE} after a command, got ${line}`);
    } else {
      blocks.push({ comment: trimmed(comment), command: line.trim().split(/\s+/) });
      comment = [];
      hasCommand = true;
    }
  }
  if (trimmed(comment).length > 0) blocks.push({ comment: trimmed(comment), command: [] });
  return blocks;
}

export function renderBlock({ comment, command }: Block, output: readonly string[]): string {
  const lines = comment.length === 0 ? [] : [...comment, ...(command.length === 0 ? [] : [""])];
  if (command.length > 0) lines.push(command.join(" "), LINE, ...output);
  return `${lines.join("\n")}\n`;
}

/** Without empty lines at either end. */
function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line !== "");
  const last = lines.findLastIndex((line) => line !== "");
  return first === -1 ? [] : lines.slice(first, last + 1);
}
