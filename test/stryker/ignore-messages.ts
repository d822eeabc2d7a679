/**
 * What Stryker leaves alone: the words of assertions and of errors. They are for people; what the
 * core does depends on none of them, and a test that compares them would only repeat them.
 */

/** As much of Babel's path to a node as is needed here. */
interface Path {
  readonly node: { readonly type: string };
  readonly parent:
    | { readonly type: string; readonly callee?: { readonly type: string; readonly name?: string } }
    | undefined;
}

const TELLING = new Set(["assert", "fail", "unreachable", "AssertionError", "RangeError"]);

export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "messages",
    value: {
      shouldIgnore({ node, parent }: Path): string | undefined {
        const isText = node.type === "StringLiteral" || node.type === "TemplateLiteral";
        const teller = parent?.callee?.name;
        const isMessage = isText && teller !== undefined && TELLING.has(teller);
        return isMessage ? "the words of an assertion or an error" : undefined;
      },
    },
  },
];
