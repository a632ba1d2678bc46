"""The picture the screen shows: bounded, fed by batches, told what time it is, ignorant of terminals."""
