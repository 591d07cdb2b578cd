//! Tests of the house itself: which crate may import which, and how long a file may be.
