"""Pictures of reports. matplotlib has its one door in `canvas.py` and is loaded with the first picture."""
