//! One benchmark for each promise, each with its ratio to a floor or a peer.
