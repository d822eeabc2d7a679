/** `host:port`, the host of an IPv6 address in brackets. */

const FORM = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]\\]+):\d{1,5}$/;

/** Whether it looks like an address, whatever its port. */
export function hasAddressForm(text: string): boolean {
  // A URL knows what a host may be: what it can't read, nobody can dial.
  return FORM.test(text) && URL.canParse(`http://${text.slice(0, text.lastIndexOf(":"))}`);
}

/** Whether it can be listened on and dialled. */
export function isAddress(text: string): boolean {
  return hasAddressForm(text) && splitAddress(text).port <= 65_535;
}

/** Of what `isAddress`. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(address.slice(colon + 1)),
  };
}
