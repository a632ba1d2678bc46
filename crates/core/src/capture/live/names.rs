//! Interfaces have numbers, by their names: one that comes back has the number it had.

/// Names with a number of their own; containers make new ones for ever.
const MAX_NAMES: usize = 1024;
/// What those beyond are called together.
const OTHERS: &str = "other";

/// Everything that was ever watched.
#[derive(Default)]
pub(super) struct Names(Vec<Name>);

/// What is kept of an interface, whether it is there or not.
#[derive(Default)]
pub(super) struct Name {
    pub(super) called: String,
    /// Packets dropped by the kernel while it was tapped before.
    pub(super) dropped: u64,
    pub(super) duplicates: u64,
}

impl Names {
    /// The number of a name, a new one if it was never seen.
    pub(super) fn number(&mut self, name: &str) -> u16 {
        let known = self.0.iter().position(|known| known.called == name);
        let number = known.unwrap_or_else(|| {
            if self.0.len() < MAX_NAMES {
                let name = if self.0.len() + 1 < MAX_NAMES { name } else { OTHERS };
                self.0.push(Name { called: name.to_owned(), ..Name::default() });
            }
            self.0.len() - 1
        });
        number as u16
    }

    pub(super) fn get(&self, number: usize) -> Option<&Name> {
        self.0.get(number)
    }

    pub(super) fn get_mut(&mut self, number: u16) -> Option<&mut Name> {
        self.0.get_mut(usize::from(number))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_has_its_number_and_those_beyond_the_bound_share_one() {
        let mut names = Names::default();
        assert_eq!((names.number("a"), names.number("b"), names.number("a")), (0, 1, 0));
        let last = (0..5000).map(|n| names.number(&format!("veth{n}"))).max();
        assert_eq!(last, Some(MAX_NAMES as u16 - 1));
        assert_eq!(names.iter().count(), MAX_NAMES);
        assert_eq!(names.get(MAX_NAMES - 1).unwrap().called, OTHERS);
        assert_eq!(names.number("b"), 1);
    }
}
