"""The host's interfaces as componentize-py would generate them, answered by the test host: the
same names, the same types, the same errors."""
