"""The tests, by the names of what they test. Each says one claim."""
