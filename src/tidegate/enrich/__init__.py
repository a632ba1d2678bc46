"""Knows more of connections than their packets say: programs, places, names."""
