/** What am I looking at? */
import { useEffect, useRef } from "react";
import { ui } from "../state/ui.ts";
import { useUi } from "../state/use.ts";
import { Glyph } from "./glyphs.tsx";

function Shapes() {
  return (
    <section>
      <h3 className="panel-title">Shape is the message</h3>
      <ul>
        <li>
          <Glyph kind="append" entries={2} /> append, a notch for each entry
        </li>
        <li>
          <Glyph kind="heartbeat" /> heartbeat
        </li>
        <li>
          <Glyph kind="vote" /> vote
        </li>
        <li>
          <Glyph kind="pre-vote" /> pre-vote: would I win?
        </li>
        <li>
          <Glyph kind="snapshot" /> snapshot
        </li>
        <li>
          <Glyph kind="read-index" /> read index
        </li>
        <li>
          <Glyph kind="transfer" /> time out now: lead in my place
        </li>
        <li>
          <Glyph kind="append" reply /> hollow is a reply: + yes, − no
        </li>
      </ul>
    </section>
  );
}

function Nodes() {
  return (
    <section>
      <h3 className="panel-title">Form is the role</h3>
      <dl>
        <dt>full, rays</dt>
        <dd>the leader</dd>
        <dt>ring</dt>
        <dd>a follower; the arc is what is left of its patience</dd>
        <dt>smaller ring</dt>
        <dd>a learner: it gets the log, and votes once it has caught up</dd>
        <dt>dashed</dt>
        <dd>asks for votes; the dots inside are the others, full once they agree</dd>
        <dt>dotted, ×</dt>
        <dd>no process: killed, or ended</dd>
        <dt>two bars</dt>
        <dd>stopped in mid-life, and does not know it</dd>
        <dt>wall of dots</dt>
        <dd>messages stop here</dd>
      </dl>
    </section>
  );
}

function Logs() {
  return (
    <section>
      <h3 className="panel-title">Solid is committed</h3>
      <dl>
        <dt>cells</dt>
        <dd>dashed until committed</dd>
        <dt>dot, arrow</dt>
        <dd>how far the leader knows it, and what it sends next</dd>
        <dt>probe, snapshot</dt>
        <dd>how, if not in a stream</dd>
      </dl>
    </section>
  );
}

function Deeds() {
  return (
    <section>
      <h3 className="panel-title">What you can do</h3>
      <dl>
        <dt>click a node</dt>
        <dd>its menu; arrows and Enter work too</dd>
        <dt>K</dt>
        <dd>the hammer: one click crashes, one more restarts</dd>
        <dt>drag across</dt>
        <dd>links that the stroke crosses are cut</dd>
        <dt>click a link</dt>
        <dd>cut one way, delay, lose</dd>
        <dt>click a message</dt>
        <dd>what it says</dd>
        <dt>any node</dt>
        <dd>beside Put, Get and Delete: whom to ask, and what the answer must be worth</dd>
        <dt>exactly once</dt>
        <dd>a write in a session, sent until it is answered, carried out once</dd>
        <dt>?</dt>
        <dd>this page</dd>
      </dl>
    </section>
  );
}

export function Help() {
  const open = useUi((state) => state.helpOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!open) return dialog.current?.close();
    dialog.current?.showModal();
    // The focus is on the last thing in it; people read from the top.
    dialog.current?.scrollTo(0, 0);
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className="help"
      aria-labelledby="help-title"
      onClose={() => ui.setHelp(false)}
    >
      <article>
        <h2 id="help-title">A real cluster, in slow motion</h2>
        <p className="lead">
          Each node is a process of its own on this machine, running Raft over gRPC. Nothing here is
          invented: a message is drawn where it is, at the pace at which it travels. Colour is the
          term, and nothing else; so whatever is out of date is seen at once.
        </p>
        <div className="columns">
          <Shapes />
          <div>
            <Nodes />
            <Logs />
          </div>
          <Deeds />
        </div>
        <footer>
          <button type="button" className="button primary" onClick={() => ui.setHelp(false)}>
            Close
          </button>
        </footer>
      </article>
    </dialog>
  );
}
