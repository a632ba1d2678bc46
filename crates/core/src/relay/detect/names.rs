//! Names of hosts that rules ask for.

use arrayvec::ArrayVec;

use crate::Error;

/// The longest name there can be (RFC 1035, section 2.3.4), with a final dot.
const LONGEST: usize = 254;

/// Names, and domains whose names below count. Case and a final dot do not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Sorted.
    exact: Box<[Box<[u8]>]>,
    /// Sorted: what stands behind `*.`.
    below: Box<[Box<[u8]>]>,
}

impl Names {
    /// Reads names: exact, or `*.example.org` for every name below that one, at any depth.
    pub(super) fn new(written: &[String]) -> Result<Self, Error> {
        let (mut exact, mut below) = (Vec::new(), Vec::new());
        for text in written {
            let (list, name) = match text.strip_prefix("*.") {
                Some(name) => (&mut below, name),
                None => (&mut exact, text.as_str()),
            };
            let plain = plain(name.as_bytes()).filter(|name| !name.is_empty());
            let plain = plain.filter(|name| !name.contains(&b'*')).ok_or_else(|| {
                Error::Usage(format!(
                    "name \"{}\": write example.org, or *.example.org",
                    text.escape_debug()
                ))
            })?;
            list.push(Box::from(plain.as_slice()));
        }
        Ok(Self { exact: sorted(exact), below: sorted(below) })
    }

    /// Whether a name is among them.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let Some(name) = plain(name) else {
            return false;
        };
        self.has_plain(&name)
    }

    fn has_plain(&self, name: &[u8]) -> bool {
        if self.exact.binary_search_by(|known| (**known).cmp(name)).is_ok() {
            return true;
        }
        !self.below.is_empty() && self.is_below(name)
    }

    fn is_below(&self, name: &[u8]) -> bool {
        let dots = name.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        dots.filter_map(|(at, _)| name.get(at + 1..))
            .any(|domain| self.below.binary_search_by(|known| (**known).cmp(domain)).is_ok())
    }

    /// Whether every name among the others is among these.
    pub(super) fn covers(&self, others: &Self) -> bool {
        let domain = |domain: &[u8]| {
            self.below.iter().any(|known| **known == *domain) || self.is_below(domain)
        };
        others.exact.iter().all(|name| self.has_plain(name))
            && others.below.iter().all(|name| domain(name))
    }
}

fn sorted(mut names: Vec<Box<[u8]>>) -> Box<[Box<[u8]>]> {
    names.sort_unstable();
    names.dedup();
    names.into_boxed_slice()
}

/// A name in small letters, without a final dot; `None` if it is too long for one.
fn plain(name: &[u8]) -> Option<ArrayVec<u8, LONGEST>> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    (name.len() <= LONGEST).then(|| name.iter().map(u8::to_ascii_lowercase).collect())
}
