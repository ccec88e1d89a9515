"""The classifier: what it counts in a text, and how it decides. It knows nothing of Trunkline."""
