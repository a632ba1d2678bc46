"""Tidegate as a service of the machine: what each system is told, and its verbs."""
