"""What each tab shows of a board: which rows, in which order, what stands in their columns. No Textual."""
