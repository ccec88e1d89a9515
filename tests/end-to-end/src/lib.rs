//! The whole of Trunkline, tested as its users meet it.
