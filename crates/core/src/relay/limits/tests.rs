//! Played arrivals, and threads that arrive at once.
