//! Numbers the interfaces of several files and sections as those of one capture.

use std::collections::HashMap;

use crate::capture::Interface;

/// Bytes kept of an interface's name.
const MAX_NAME: usize = 256;

/// Interfaces beyond this share the last one's number.
const MAX_INTERFACES: usize = 1 << 16;

/// What makes two descriptions mean the same interface: the same name, the same place
/// among equal names in their section, and, if the name is only the file's, the same file.
type Identity = (String, usize, Option<usize>);

/// All interfaces so far. A name that comes back in a later file or section (a capture
/// rotated over several files) keeps its number.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    numbers: HashMap<Identity, u16>,
    /// How often each name was seen in the current section.
    section: HashMap<String, usize>,
    file: usize,
    file_name: String,
    /// What the files' writers say they lost, per interface.
    pub(super) dropped: Vec<u64>,
}

impl Interfaces {
    /// Call when a file begins.
    pub(super) fn begin_file(&mut self, name: &str) {
        self.file += 1;
        name.clone_into(&mut self.file_name);
        self.begin_section();
    }

    /// Call when a section begins.
    pub(super) fn begin_section(&mut self) {
        self.section.clear();
    }

    /// The number of an interface, and the interface itself if it is new.
    pub(super) fn add(&mut self, name: Option<&[u8]>) -> (u16, Option<Interface>) {
        let own = name.map(readable).filter(|name| !name.is_empty());
        let file = if own.is_none() { Some(self.file) } else { None };
        let name = own.unwrap_or_else(|| self.file_name.clone());
        let nth = self.section.entry(name.clone()).or_default();
        *nth += 1;
        let identity = (name, *nth, file);
        if let Some(&number) = self.numbers.get(&identity) {
            return (number, None);
        }
        if self.numbers.len() >= MAX_INTERFACES {
            return (u16::MAX, None);
        }
        let number = self.numbers.len() as u16;
        let name = identity.0.clone();
        self.numbers.insert(identity, number);
        self.dropped.push(0);
        (number, Some(Interface { name }))
    }

    /// Adds packets that the capturing program lost on an interface.
    pub(super) fn lost(&mut self, number: u16, packets: u64) {
        if let Some(dropped) = self.dropped.get_mut(usize::from(number)) {
            *dropped = dropped.saturating_add(packets);
        }
    }
}

/// A name as text: up to its first NUL, and not longer than [`MAX_NAME`].
fn readable(name: &[u8]) -> String {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    let kept = name.get(..end.min(MAX_NAME)).unwrap_or_default();
    String::from_utf8_lossy(kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(interfaces: &mut Interfaces, name: Option<&[u8]>) -> u16 {
        interfaces.add(name).0
    }

    #[test]
    fn a_name_keeps_its_number_over_sections() {
        let mut all = Interfaces::default();
        all.begin_file("a.pcapng");
        assert_eq!(number(&mut all, Some(b"eth0")), 0);
        assert_eq!(number(&mut all, Some(b"eth0\0")), 1, "two of a name in one section are two");
        all.begin_section();
        assert_eq!(number(&mut all, Some(b"eth0")), 0);
        assert_eq!(number(&mut all, Some(b"eth1")), 2);
    }

    #[test]
    fn unnamed_ones_are_told_apart_by_file() {
        let mut all = Interfaces::default();
        all.begin_file("x.pcap");
        assert_eq!(all.add(None), (0, Some(Interface { name: "x.pcap".into() })));
        all.begin_file("x.pcap");
        assert_eq!(number(&mut all, Some(b"")), 1);
    }

    #[test]
    fn more_than_can_be_numbered_share_the_last() {
        let mut all = Interfaces::default();
        all.begin_file("x");
        for _ in 0..MAX_INTERFACES {
            assert!(all.add(None).1.is_some());
        }
        assert_eq!(all.add(None), (u16::MAX, None));
    }
}
