"""Questions and their answers: one file, one question."""
