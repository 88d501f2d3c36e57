//! What relays are for beside the matrix.
