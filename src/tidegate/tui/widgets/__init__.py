"""Widgets: one a file, with its style. They draw what they are given, wherever it comes from."""
