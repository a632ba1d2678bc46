"""What is done at which time: when, over which span, what became of it. Time is an argument everywhere."""
