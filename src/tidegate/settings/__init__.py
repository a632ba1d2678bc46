"""The configuration file: found, read with its lines, checked, explained."""
