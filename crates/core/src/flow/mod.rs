//! Segment to connection and stream: who talks to whom, in what state, in which order.
