//! The policy for addresses that come from untrusted texts (alerts, pages): recognises private and metadata addresses in
//! every notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Which hosts and addresses may be requested.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressPolicy {
    /// Hosts that are allowed at any address.
    pub(crate) hosts: Vec<String>,
    /// Whether every host may be at a private or loopback address. Metadata services, which return the credentials of a cloud
    /// machine, stay blocked.
    pub(crate) private: bool,
}

impl AddressPolicy {
    /// Whether a host is in [`Self::hosts`], and so allowed at any address.
    pub(super) fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Whether an address is allowed for a host that is not in [`Self::hosts`].
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        if self.private { !is_metadata(address) } else { is_public(address) }
    }
}

/// Host names of cloud metadata services; blocked by name too, because a proxy may resolve them where we cannot.
const METADATA_NAMES: [&str; 4] =
    ["metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal"];

pub(super) fn is_metadata_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    METADATA_NAMES.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// The IP address, if the URL has one in place of a name. Unusual notations (`0x7f.1`, `2130706433`) are already normalised
/// by [`Url`].
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    }
}

fn is_public(address: IpAddr) -> bool {
    let is_public = match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => inner_v4(address).map_or_else(|| is_public_v6(address), is_public_v4),
    };
    is_public && !is_metadata(address)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 198 && (b == 18 || b == 19))
}

/// Global unicast is `2000::/3`; in it, `2001::/23` is reserved for protocols such as Teredo, and `2001:db8::/32` and
/// `3fff::/20` for documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_special =
        first == 0x2001 && (second < 0x200 || second == 0xdb8) || first == 0x3fff && second < 0x1000;
    first & 0xe000 == 0x2000 && !is_special
}

/// The IPv4 address in an IPv6 address: mapped, compatible, translated (`64:ff9b::/96`, and local prefixes below
/// `64:ff9b:1::/48`) or 6to4 (`2002::/16`).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..]
        | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(of(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

/// Whether the address can be one of a cloud metadata service: link-local addresses, and the other known addresses.
fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // Alibaba, Oracle, Azure
            let known = [[100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]];
            address.is_link_local() || known.contains(&address.octets())
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            let is_link_local = first & 0xffc0 == 0xfe80;
            // Amazon, Google
            let is_known = first == 0xfd00 && second == 0xec2 || first == 0xfd20 && second == 0xce;
            is_link_local || is_known || inner_v4(address).is_some_and(|inner| is_metadata(IpAddr::V4(inner)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: [&str; 13] = [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
    ];

    #[test]
    fn private_addresses_are_known_in_every_disguise() {
        let private = [
            "10.1.2.3",
            "127.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "fd12::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "2002:7f00:1::",
            "::ffff:0:7f00:1",
        ];
        for address in private.into_iter().chain(METADATA) {
            assert!(!AddressPolicy::default().allows(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "2606:4700::1111", "172.32.0.1", "2001:4860::8888"] {
            assert!(AddressPolicy::default().allows(address.parse().unwrap()), "{address}");
        }
        let open = AddressPolicy { private: true, ..AddressPolicy::default() };
        for address in private.into_iter().chain(["1.1.1.1"]) {
            assert!(open.allows(address.parse().unwrap()), "{address}");
        }
        for address in METADATA {
            assert!(!open.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_is_one_however_it_is_spelt() {
        for spelling in [
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::ffff:127.0.0.1]",
            "[::1]",
            "0",
            "１２７.0.0.1",
        ] {
            let url: Url = format!("http://{spelling}/x.md").parse().unwrap();
            let address = literal(&url).unwrap_or_else(|| panic!("{spelling} is no address in {url}"));
            assert!(!AddressPolicy::default().allows(address), "{spelling}");
        }
    }

    #[test]
    fn hosts_are_named_in_any_spelling() {
        let policy = AddressPolicy { hosts: vec!["Wiki.example".into()], private: false };
        assert!(policy.names("wiki.example") && policy.names("wiki.example."));
        assert!(!policy.names("other.wiki.example") && !policy.names("wiki.example.evil"));
        assert!(is_metadata_name("Metadata.google.internal."));
    }
}
