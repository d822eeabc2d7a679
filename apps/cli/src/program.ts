/** The command line: what there is to say, and what it does. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import * as clusterCommands from "./cluster-commands.ts";
import type { CheckHistoryOptions } from "./check-history.ts";
import { EXIT } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import * as kv from "./kv-commands.ts";
import * as playground from "./playground-commands.ts";
import { addGlobalOptions, createSession } from "./session.ts";
import type { GlobalOptions, Session } from "./session.ts";
import { parseChoice, parseDuration, parseNumber, parseWhole } from "./text.ts";

/** Runs a command with the program's own options; what it returns becomes the exit code. */
type Run = (act: (session: Session) => Promise<ExitCode>) => Promise<void>;

/** @param argv without the interpreter and the script. */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Command("raft-client");
  const run: Run = async (act) => {
    exitCode = await act(createSession(io, program.opts<GlobalOptions>()));
  };
  program
    .description("Talks to a cluster of Raft nodes, and to the playground around one.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.write(text),
      writeErr: (text) => io.complain(text.trimEnd()),
    })
    .showHelpAfterError("(raft-client --help lists the commands)");
  addGlobalOptions(program);
  addActionOption(program, run);
  addKvCommands(program, run);
  addClusterCommands(program, run);
  addProcessCommands(program, run);
  addMachineCommands(program, run);
  addLinkAndTimeCommands(program, run);
  addCheckCommand(program, run);
  program.addHelpText("after", EXAMPLES);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

const EXAMPLES = `
Examples:
  raft-client put fruit pear
  raft-client get fruit
  raft-client get --prefix user/ --limit 10
  raft-client txn --if 'value(fruit) = pear' --then 'put fruit apple' --else 'get fruit'
  raft-client --endpoints 127.0.0.1:7101,127.0.0.1:7102 status
  raft-client crash 1
  raft-client partition 1,2 3,4,5
  raft-client check-history history.ndjson
  raft-client --action add --key fruit --value pear

Exit codes:
  0   done
  1   failed: it has not taken effect and never will
  2   unknown: it may have taken effect, or may yet
  64  the command line makes no sense`;

const ACTIONS = ["add", "get", "delete"] as const;

interface ActionOptions {
  readonly action?: (typeof ACTIONS)[number];
  readonly key?: string;
  readonly value?: string;
}

/** `--action add --key K --value V`: the same as `put K V`. */
function addActionOption(program: Command, run: Run): void {
  program
    .option(
      "--action <action>",
      `${ACTIONS.join(", ")}: in place of a command`,
      parseChoice(ACTIONS),
    )
    .option("--key <key>", "for --action")
    .option("--value <value>", "for --action add")
    .allowExcessArguments()
    .action(async () => {
      const [unknown] = program.args;
      if (unknown !== undefined) program.error(`error: unknown command '${unknown}'`);
      const { action, key, value } = program.opts<ActionOptions>();
      if (action === undefined) {
        program.error("error: expected a command or --action, got neither");
      }
      if (key === undefined) program.error(`error: --action ${action} needs --key`);
      switch (action) {
        case "add":
          if (value === undefined) program.error("error: --action add needs --value");
          await run((session) => kv.put(session, key, value, {}));
          return;
        case "get":
          await run((session) => kv.get(session, key, undefined, {}));
          return;
        case "delete":
          await run((session) => kv.del(session, key, {}));
          return;
      }
    });
}

const ONCE = "send it again until its outcome is known; it is carried out once";

function addKvCommands(program: Command, run: Run): void {
  program
    .command("put")
    .description("set a key")
    .argument("<key>")
    .argument("[value]", "without it: what comes on standard input")
    .option("--prev-kv", "show what was there before")
    .option("--ignore-value", "keep the value, make a new version")
    .option("--once", ONCE)
    .addHelpText(
      "after",
      "\nExamples:\n  raft-client put fruit pear\n  raft-client put picture < p.png",
    )
    .action((key: string, value: string | undefined, options: kv.PutOptions) =>
      run((session) => kv.put(session, key, value, options)),
    );
  program
    .command("get")
    .description("read a key, or many")
    .argument("<key>")
    .argument("[range-end]", "all keys from <key> up to this one, itself not included")
    .option("--prefix", "all keys that begin with <key>")
    .option("--from-key", "all keys from <key> on")
    .option("--serializable", "from the asked node's own state, however old")
    .option("--rev <revision>", "as of an older revision", parseWhole(0))
    .option("--limit <count>", "at most so many", parseWhole(1))
    .option("--order <order>", "ascend or descend", parseChoice(["ascend", "descend"]))
    .option(
      "--sort-by <target>",
      "key, version, create, mod or value",
      parseChoice(["key", "version", "create", "mod", "value"]),
    )
    .option("--keys-only", "without the values")
    .option("--count-only", "only how many")
    .addHelpText("after", "\nExamples:\n  raft-client get fruit\n  raft-client get --prefix user/")
    .action((key: string, rangeEnd: string | undefined, options: kv.GetOptions) =>
      run((session) => kv.get(session, key, rangeEnd, options)),
    );
  program
    .command("del")
    .description("delete a key, or many; prints how many there were")
    .argument("<key>")
    .argument("[range-end]", "all keys from <key> up to this one, itself not included")
    .option("--prefix", "all keys that begin with <key>")
    .option("--from-key", "all keys from <key> on")
    .option("--prev-kv", "show what was there before")
    .option("--once", ONCE)
    .action((key: string, rangeEnd: string | undefined, options: kv.DeleteOptions) =>
      run((session) => kv.del(session, key, { ...options, rangeEnd })),
    );
  program
    .command("txn")
    .description("do something only if some conditions hold, all at one revision")
    .option(
      "--if <condition>",
      "value(KEY) = V, version(KEY) > N, create(KEY) = 0, mod(KEY) < N",
      collect,
      [],
    )
    .option("--then <operation>", "put KEY VALUE, get KEY or del KEY", collect, [])
    .option("--else <operation>", "the same, for when a condition does not hold", collect, [])
    .option("--once", ONCE)
    .addHelpText(
      "after",
      "\nExample:\n  raft-client txn --if 'create(lock) = 0' --then 'put lock me' --else 'get lock'",
    )
    .action((options: kv.TxnOptions) => run((session) => kv.txn(session, options)));
  program
    .command("compact")
    .description("forget what was overwritten before a revision")
    .argument("<revision>", "", parseWhole(0))
    .action((revision: number) => run((session) => kv.compact(session, revision)));
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function addClusterCommands(program: Command, run: Run): void {
  program
    .command("status")
    .description("how each node is")
    .option("--watch", "again every second, until Ctrl-C")
    .action(({ watch = false }: { readonly watch?: boolean }) =>
      run((session) => clusterCommands.status(session, watch)),
    );
  program
    .command("move-leader")
    .description("let the leader hand over to a voter, without a playground")
    .argument("<node>", "its id", parseWhole(1))
    .action((nodeId: number) => run((session) => clusterCommands.moveLeader(session, nodeId)));
  const member = program.command("member").description("who takes part");
  member
    .command("list")
    .description("all members")
    .action(() => run(clusterCommands.memberList));
  member
    .command("add")
    .description("add the node that listens at an address")
    .argument("<address>", "host:port")
    .option("--learner", "it gets the log, but does not vote until it is promoted")
    .option("--id <id>", "its id; without it the cluster chooses one", parseWhole(1))
    .addHelpText(
      "after",
      "\nThe new node's configuration has this id, its address as listen, and join: true.\n" +
        "Example:\n  raft-client member add 127.0.0.1:7106 --id 6 --learner",
    )
    .action((address: string, options: clusterCommands.MemberAddOptions) =>
      run((session) => clusterCommands.memberAdd(session, address, options)),
    );
  member
    .command("promote")
    .description("make a learner a voter")
    .argument("<node>", "its id", parseWhole(1))
    .action((nodeId: number) => run((session) => clusterCommands.memberPromote(session, nodeId)));
  member
    .command("voters")
    .description("exactly these members vote, the others learn: one change, by joint consensus")
    .argument("<nodes>", "their ids: 1,2,3", parseIds)
    .action((nodeIds: readonly number[]) =>
      run((session) => clusterCommands.memberVoters(session, nodeIds)),
    );
  member
    .command("remove")
    .description("take a node out of the cluster")
    .argument("<node>", "its id", parseWhole(1))
    .action((nodeId: number) => run((session) => clusterCommands.memberRemove(session, nodeId)));
}

const PROCESS_COMMANDS: readonly (readonly [playground.NodeAction, string])[] = [
  ["crash", "playground: SIGKILL"],
  ["restart", "playground: start a node again"],
  ["pause", "playground: SIGSTOP"],
  ["resume", "playground: SIGCONT"],
  ["stop", "playground: SIGTERM, the node hands over and leaves cleanly"],
  ["remove", "playground: take a node out of the cluster, then end it"],
  ["transfer", "playground: hand leadership over to a node"],
  ["campaign", "playground: let a node's election timer fire now"],
];

function addProcessCommands(program: Command, run: Run): void {
  program
    .command("cluster")
    .description("playground: its processes, speed and cut links")
    .action(() => run(playground.cluster));
  for (const [action, description] of PROCESS_COMMANDS) {
    program
      .command(action)
      .description(description)
      .argument("<node>", "its id", parseWhole(1))
      .action((nodeId: number) => run((session) => playground.actOnNode(session, action, nodeId)));
  }
}

function addMachineCommands(program: Command, run: Run): void {
  program
    .command("add")
    .description("playground: one more node; it votes once it has caught up")
    .action(() => run(playground.add));
  program
    .command("wipe")
    .description("playground: end a node, delete its data, bring it back as a new member")
    .argument("<node>", "its id", parseWhole(1))
    .action((nodeId: number) => run((session) => playground.wipe(session, nodeId)));
  program
    .command("disk")
    .description("playground: what is wrong with a node's disk; no option mends it")
    .argument("<node>", "its id", parseWhole(1))
    .option("--delay <duration>", "longer for each sync, in cluster time: 100ms", parseDuration)
    .option("--fail", "the next write fails, and the node ends")
    .option("--full", "there is no space left")
    .action((nodeId: number, options: playground.DiskOptions) =>
      run((session) => playground.disk(session, nodeId, options)),
    );
  program
    .command("clock")
    .description("playground: how fast a node's clock runs; 1 is right, 1.2 a fifth too fast")
    .argument("<node>", "its id", parseWhole(1))
    .argument("<rate>", "0.01 to 100", parseNumber(0.01, 100))
    .action((nodeId: number, rate: number) =>
      run((session) => playground.clock(session, nodeId, rate)),
    );
}

function addLinkAndTimeCommands(program: Command, run: Run): void {
  program
    .command("link")
    .description("playground: the fault of the link from one node to another; no option heals it")
    .argument("<source>", "a node's id", parseWhole(1))
    .argument("<target>", "a node's id", parseWhole(1))
    .option("--cut", "nothing gets through")
    .option("--delay <duration>", "in cluster time: 100ms", parseDuration)
    .option("--jitter <duration>", "up to so much more", parseDuration)
    .option("--drop <rate>", "0 to 1", parseNumber(0, 1))
    .option("--duplicate <rate>", "0 to 1", parseNumber(0, 1))
    .option("--kinds <list>", "only these messages: append,heartbeat,vote…", parseKinds)
    .option("--both", "the other direction too")
    .addHelpText("after", "\nExample:\n  raft-client link 1 2 --delay 200ms --drop 0.1 --both")
    .action((source: number, target: number, options: playground.LinkOptions) =>
      run((session) => playground.link(session, source, target, options)),
    );
  program
    .command("partition")
    .description("playground: cut every link between different groups")
    .argument("<groups...>", "1,2 3,4,5: nodes in no group are alone", collectGroups)
    .action((groups: readonly (readonly number[])[]) =>
      run((session) => playground.partition(session, groups)),
    );
  program
    .command("heal")
    .description("playground: heal all links")
    .action(() => run(playground.heal));
  program
    .command("speed")
    .description("playground: 1 is real time, 0.05 twenty times slower")
    .argument("<factor>", "", parseNumber(0.001, 1))
    .action((factor: number) => run((session) => playground.speed(session, factor)));
  program
    .command("freeze")
    .description("playground: stop time")
    .action(() => run(playground.freeze));
  program
    .command("thaw")
    .description("playground: let time go on")
    .action(() => run(playground.thaw));
}

function addCheckCommand(program: Command, run: Run): void {
  program
    .command("check-history")
    .description("whether what clients asked and were told is linearizable")
    .argument("<file>", "one operation a line, as JSON; - is standard input")
    .option("--html <path>", "draw the history, and what is wrong with it, as a page of its own")
    .addHelpText("after", CHECK_HELP)
    .action((file: string, options: CheckHistoryOptions) =>
      run(async (session) => {
        // No other command waits for the checker to load.
        const { checkHistory } = await import("./check-history.ts");
        return checkHistory(session, file, options);
      }),
    );
}

const CHECK_HELP = `
Operations, one a line:
  {"client":1,"op":"put","key":"x","value":"1","call":10,"return":20,"outcome":"ok"}
  {"client":2,"op":"get","key":"x","value":null,"call":11,"return":12,"outcome":"ok"}
  {"client":2,"op":"delete","key":"x","call":13,"outcome":"unknown"}
  {"client":3,"op":"cas","key":"x","expected":"1","value":"2","swapped":false,
   "call":14,"return":15,"outcome":"ok"}
Times are nanoseconds of one clock. outcome is ok, fail (it never had an effect) or unknown;
without return it is unknown. --timeout: a bare number is seconds; 30 by default.
What was wrong for a while is a line, too, drawn as a band (without until, to the end):
  {"fault":"cut off","nodes":[1,2],"from":10,"until":20}

Example:
  raft-client check-history history.jsonl --html history.html

Exit codes:
  0   Ok: some order explains everything
  1   Illegal: no order does
  2   Unknown: the search was given up
  64  a line makes no sense`;

const parseKind = parseChoice(
  Object.keys(playground.MESSAGE_KINDS) as playground.MessageKindName[],
);

function parseKinds(text: string): playground.MessageKindName[] {
  return text.split(",").map(parseKind);
}

function collectGroups(
  text: string,
  before: readonly (readonly number[])[] | undefined,
): readonly (readonly number[])[] {
  return [...(before ?? []), parseIds(text)];
}

function parseIds(text: string): readonly number[] {
  if (!/^\d+(,\d+)*$/.test(text)) {
    throw new InvalidArgumentError(`expected node ids such as 1,2, got ${text}`);
  }
  return text.split(",").map(parseWhole(1));
}
