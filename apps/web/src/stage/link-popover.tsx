/** What is wrong with a link, each direction by itself, and how to change it. */
import { linkKey, type LinkFault, type LinkView } from "@raftarium/observer";
import { useEffect, useRef } from "react";
import { report } from "../shell/notices.tsx";
import { useCommands, useTimeline } from "../state/use.ts";
import { Floating, type Anchor } from "./floating.tsx";

interface LinkPopoverProps {
  readonly a: number;
  readonly b: number;
  readonly anchor: Anchor;
  readonly onClose: () => void;
}

const WHOLE: LinkFault = {
  cut: false,
  delayMs: 0,
  jitterMs: 0,
  dropRate: 0,
  duplicateRate: 0,
  messageKinds: [],
};

const DELAYS_MS = [0, 5, 20, 50, 100, 200, 500, 1000];
const LOSSES = [0, 0.05, 0.1, 0.3, 0.5, 0.9];

/** The choices, and what is set now even if it is none of them. */
function withCurrent(choices: readonly number[], current: number): readonly number[] {
  return choices.includes(current) ? choices : [...choices, current].toSorted((a, b) => a - b);
}

interface DirectionProps {
  readonly source: number;
  readonly target: number;
  readonly fault: LinkFault;
  readonly onChange: (change: Partial<LinkFault>) => void;
}

function Direction({ source, target, fault, onChange }: DirectionProps) {
  const name = `${source} to ${target}`;
  return (
    <fieldset>
      <legend>
        {source} → {target}
      </legend>
      <label className="check">
        <input
          type="checkbox"
          checked={fault.cut}
          aria-label={`Cut ${name}`}
          onChange={(event) => onChange({ cut: event.target.checked })}
        />
        Cut
      </label>
      <label className="select">
        Delay
        <select
          value={fault.delayMs}
          aria-label={`Delay ${name}`}
          onChange={(event) => onChange({ delayMs: Number(event.target.value) })}
        >
          {withCurrent(DELAYS_MS, fault.delayMs).map((delayMs) => (
            <option key={delayMs} value={delayMs}>
              {delayMs === 0 ? "none" : `+${delayMs} ms`}
            </option>
          ))}
        </select>
      </label>
      <label className="select">
        Loss
        <select
          value={fault.dropRate}
          aria-label={`Loss ${name}`}
          onChange={(event) => onChange({ dropRate: Number(event.target.value) })}
        >
          {withCurrent(LOSSES, fault.dropRate).map((rate) => (
            <option key={rate} value={rate}>
              {rate === 0 ? "none" : `${Math.round(rate * 100)} %`}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

function faultOf(link: LinkView | undefined): LinkFault {
  if (link === undefined) return WHOLE;
  const { cut, delayMs, jitterMs, dropRate, duplicateRate, messageKinds } = link;
  return { cut, delayMs, jitterMs, dropRate, duplicateRate, messageKinds };
}

export function LinkPopover({ a, b, anchor, onClose }: LinkPopoverProps) {
  const commands = useCommands();
  const links = useTimeline((state) => state.view.links);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    body.current?.querySelector<HTMLElement>("button, input")?.focus();
  }, []);
  const forth = faultOf(links.get(linkKey(a, b)));
  const back = faultOf(links.get(linkKey(b, a)));
  const set = (source: number, target: number, fault: LinkFault) =>
    report(commands.setLink(source, target, fault));
  const setBoth = (change: (fault: LinkFault) => LinkFault) => {
    set(a, b, change(forth));
    set(b, a, change(back));
  };
  const bothCut = forth.cut && back.cut;
  return (
    <Floating
      anchor={anchor}
      className="popover"
      role="dialog"
      label={`Link between ${a} and ${b}`}
      onClose={onClose}
    >
      <div ref={body}>
        <header>
          <h2>
            Link {a} – {b}
          </h2>
          <small className="muted">delays are in cluster time</small>
        </header>
        <div className="actions">
          <button
            type="button"
            className="button"
            onClick={() => setBoth((fault) => ({ ...fault, cut: !bothCut }))}
          >
            {bothCut ? "Join again" : "Cut both ways"}
          </button>
          <button type="button" className="button" onClick={() => setBoth(() => WHOLE)}>
            Heal
          </button>
        </div>
        <br />
        <Direction
          source={a}
          target={b}
          fault={forth}
          onChange={(change) => set(a, b, { ...forth, ...change })}
        />
        <Direction
          source={b}
          target={a}
          fault={back}
          onChange={(change) => set(b, a, { ...back, ...change })}
        />
      </div>
    </Floating>
  );
}
