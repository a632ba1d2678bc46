//! A time that may not have come, in eight bytes: connections keep several, and there are many at rest.

use std::num::NonZeroI64;

use crate::packet::Nanos;

/// Time since the relay started, or none. The first nanosecond counts as the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment(Option<NonZeroI64>);

impl Moment {
    /// None.
    pub(super) const NEVER: Self = Self(None);

    pub(super) fn at(time: Nanos) -> Self {
        Self(NonZeroI64::new(time.max(1)))
    }

    pub(super) fn get(self) -> Option<Nanos> {
        self.0.map(NonZeroI64::get)
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn a_moment_is_a_time_or_none_in_eight_bytes() {
        assert_eq!(size_of::<Moment>(), 8);
        assert_eq!((Moment::NEVER.get(), Moment::default().get()), (None, None));
        assert_eq!((Moment::at(7).get(), Moment::at(0).get()), (Some(7), Some(1)));
    }
}
