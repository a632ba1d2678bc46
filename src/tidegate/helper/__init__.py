"""The privileged helper: it keeps the rights, answers few questions, and reads no network bytes."""
