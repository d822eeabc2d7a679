/**
 * Who may talk to the door. It changes what runs on this machine, so a page of somebody else's
 * must not reach it, neither directly nor by a name that points at this machine (DNS rebinding).
 */
import type { IncomingHttpHeaders } from "node:http";

const HOSTS = ["localhost", "127.0.0.1", "[::1]"] as const;

/**
 * Null if a request with these headers may be answered; else a sentence that says why not.
 *
 * - Host must be a name of this machine's loopback, with our port.
 * - Origin, where there is one, must be that very host.
 * - A browser that says (Sec-Fetch-Site) that another site is behind it is believed.
 */
export function refusal(headers: IncomingHttpHeaders, port: number): string | null {
  const host = headers.host?.toLowerCase() ?? "";
  const suffix = port === 80 ? ["", ":80"] : [`:${port}`];
  const allowed = HOSTS.flatMap((name) => suffix.map((end) => name + end));
  if (!allowed.includes(host)) {
    return (
      `This playground answers only as http://localhost:${port}: expected the header Host to be ` +
      `one of ${allowed.join(", ")}, got '${headers.host ?? ""}'.`
    );
  }
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`) {
    return (
      "This playground answers only its own page: expected the header Origin to be " +
      `http://${host}, got '${origin}'.`
    );
  }
  const site = headers["sec-fetch-site"];
  if (site === "cross-site" || site === "same-site") {
    return (
      "This playground answers only its own page: another site made this request " +
      `(Sec-Fetch-Site: ${site}). Type http://localhost:${port} into the address bar instead.`
    );
  }
  return null;
}
