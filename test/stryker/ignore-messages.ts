/**
 * What Stryker leaves alone: the words of assertions and of errors. They are for people; what the
 * core does depends on none of them, and a test that compares them would only repeat them.
 */

/** As much of Babel's path to a node as is needed here. */
interface Path {
  readonly node: {
    readonly type: string;
    readonly operator?: string;
    readonly callee?: { readonly name?: string };
  };
  readonly parentPath: Path | null;
}

const TELLING = new Set(["assert", "fail", "unreachable", "AssertionError", "RangeError"]);

export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "messages",
    value: {
      shouldIgnore(path: Path): string | undefined {
        if (!/^(String|Template)Literal$/.test(path.node.type)) return undefined;
        let teller = path.parentPath;
        // A long text is put together from several.
        while (teller?.node.operator === "+") teller = teller.parentPath;
        const isMessage = TELLING.has(teller?.node.callee?.name ?? "");
        return isMessage ? "the words of an assertion or an error" : undefined;
      },
    },
  },
];
