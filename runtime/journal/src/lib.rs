//! The durable log: events, key-values and blobs, over several stores.
