"""Rows on disk: open segments that grow, closed ones that stay, and what is kept for how long."""
