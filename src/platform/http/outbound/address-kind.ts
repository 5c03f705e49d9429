import ipaddr from 'ipaddr.js';

/**
 * What an IP address means to a server that connects on behalf of somebody else: `public` is anybody's, `private` is
 * reachable only from here, `metadata` hands out the credentials of the machine and is never connected to.
 */
export type AddressKind = 'public' | 'private' | 'metadata';

const NEVER_IPV4 = [
  ipaddr.IPv4.parseCIDR('169.254.0.0/16'), // link-local; 169.254.169.254 at AWS, Azure, Google and most others
  ipaddr.IPv4.parseCIDR('100.100.100.200/32'), // Alibaba Cloud
  ipaddr.IPv4.parseCIDR('168.63.129.16/32'), // Azure's wire server: looks public, answers only inside Azure
  ipaddr.IPv4.parseCIDR('192.0.0.192/32'), // Oracle Cloud
];

const NEVER_IPV6 = [
  ipaddr.IPv6.parseCIDR('fe80::/10'), // link-local
  ipaddr.IPv6.parseCIDR('fd00:ec2::254/128'), // AWS
  ipaddr.IPv6.parseCIDR('fd20:ce::254/128'), // Google Cloud
  ipaddr.IPv6.parseCIDR('fd00:42::42/128'), // Scaleway
  // Local NAT64 puts the IPv4 address at a place that only the network's operator knows: it cannot be judged.
  ipaddr.IPv6.parseCIDR('64:ff9b:1::/48'),
];

/** Prefixes whose last 32 bits are an IPv4 address: IPv4-compatible, IPv4-translated, NAT64. */
const IPV4_AT_THE_END = [
  ipaddr.IPv6.parseCIDR('::/96'),
  ipaddr.IPv6.parseCIDR('::ffff:0:0:0/96'),
  ipaddr.IPv6.parseCIDR('64:ff9b::/96'),
];

/** The kind of an address, or null when the text is no IP address. IPv4-mapped IPv6 is judged as IPv4. */
export function addressKind(address: string): AddressKind | null {
  if (!ipaddr.isValid(address)) {
    return null;
  }
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv4 ? ipv4Kind(parsed) : ipv6Kind(parsed);
}

function ipv4Kind(address: ipaddr.IPv4): AddressKind {
  if (NEVER_IPV4.some((range) => address.match(range))) {
    return 'metadata';
  }
  return address.range() === 'unicast' ? 'public' : 'private';
}

function ipv6Kind(address: ipaddr.IPv6): AddressKind {
  const embedded = embeddedIpv4(address);
  if (NEVER_IPV6.some((range) => address.match(range)) || (embedded && ipv4Kind(embedded) === 'metadata')) {
    return 'metadata';
  }
  // ipaddr.js calls every unassigned block "unicast", `::127.0.0.1` among them: only 2000::/3 is given out.
  const isGlobal = ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
  return isGlobal && address.range() === 'unicast' ? 'public' : 'private';
}

/** The IPv4 address that a transition mechanism would in truth connect to. */
function embeddedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = address.toByteArray();
  if (IPV4_AT_THE_END.some((range) => address.match(range))) {
    return new ipaddr.IPv4(bytes.slice(12));
  }
  const range = address.range();
  if (range === '6to4') {
    return new ipaddr.IPv4(bytes.slice(2, 6));
  }
  // Teredo inverts the bits.
  return range === 'teredo' ? new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff)) : null;
}
