//! What the tests of several kinds of sources share.

pub(crate) mod contract;
