//! Small real services of a city's departments, for the demo and the tests.
