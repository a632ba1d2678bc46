"""The screen: a board that is fed, and Textual to look at it."""
