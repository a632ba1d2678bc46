"""Pictures of reports. matplotlib, by `canvas.py` and `fonts.py` alone, is loaded with the first of them."""
